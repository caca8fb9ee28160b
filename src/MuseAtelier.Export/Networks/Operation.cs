namespace MuseAtelier.Export.Networks;

/// <summary>A step of a network, as the mathematics has it; how it is computed is the lowering's business.</summary>
internal abstract record Operation(IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs);

/// <summary>A convolution. <paramref name="PadEnd"/> is the padding after the last row and column, where it differs from that before the first.</summary>
internal sealed record Convolution(Value Input, Value Output, Weight Kernel, Weight? Bias, int Stride = 1, int Pad = 1, int PadEnd = 1)
    : Operation([Input], [Output]);

/// <summary>Normalises over groups of channels, then scales and shifts each channel; <paramref name="Shift"/>, one value a channel, is added first.</summary>
internal sealed record GroupNorm(Value Input, Value? Shift, Value Output, Weight Scale, Weight Offset, float Epsilon, bool Silu)
    : Operation(Shift is null ? [Input] : [Input, Shift], [Output])
{
    public const int Groups = 32;
}

/// <summary>
/// sum = input + bias + residual; output = group norm of sum. No network is described with it: lowerings for devices that compute this in one
/// make it of a sum and a norm. A residual of two dimensions is one value a channel.
/// </summary>
internal sealed record ResidualGroupNorm(Value Input, Weight? Bias, Value? Residual, Value Output, Value? Sum, Weight Scale, Weight Offset, float Epsilon, bool Silu)
    : Operation(Residual is null ? [Input] : [Input, Residual], Sum is null ? [Output] : [Output, Sum]);

/// <summary>input * weight^T (+ bias); with <paramref name="Transposed"/>, input * weight.</summary>
internal sealed record Linear(Value Input, Value Output, Weight Kernel, Weight? Bias, bool Transposed = false) : Operation([Input], [Output]);

/// <summary>Normalises over channels.</summary>
internal sealed record LayerNorm(Value Input, Value Output, Weight Scale, Weight Offset) : Operation([Input], [Output])
{
    public const float Epsilon = 1e-5f;
}

/// <summary>sum = input + bias + residual; output = layer norm of sum.</summary>
internal sealed record ResidualLayerNorm(Value Input, Weight Bias, Value Residual, Value Output, Value Sum, Weight Scale, Weight Offset)
    : Operation([Input, Residual], [Output, Sum]);

/// <summary>input + bias + residual.</summary>
internal sealed record ResidualBias(Value Input, Weight Bias, Value Residual, Value Output) : Operation([Input, Residual], [Output]);

/// <summary>softmax(q k^T / sqrt(head width)) v over heads; causal means that a position sees none after it.</summary>
internal sealed record Attention(Value Query, Value Key, Value Value, Value Output, int Heads, bool Causal = false) : Operation([Query, Key, Value], [Output]);

/// <summary>With h = input * kernel^T + bias: first half of h * gelu(second half of h).</summary>
internal sealed record Geglu(Value Input, Value Output, Weight Kernel, Weight Bias) : Operation([Input], [Output]);

/// <summary>The nonlinear functions of the networks.</summary>
internal enum Nonlinearity
{
    /// <summary>x * sigmoid(x).</summary>
    Silu,

    /// <summary>x * sigmoid(1.702 x).</summary>
    QuickGelu,

    /// <summary>x * Phi(x), exact.</summary>
    Gelu,
}

/// <summary>A nonlinear function of each element.</summary>
internal sealed record Activation(Value Input, Value Output, Nonlinearity Function) : Operation([Input], [Output]);

/// <summary>Sum of two values of one shape, and of a bias, one value a channel.</summary>
internal sealed record Add(Value Left, Value Right, Value Output, Weight? Bias = null) : Operation([Left, Right], [Output]);

/// <summary>Two images' channels, one behind the other.</summary>
internal sealed record Concatenate(Value First, Value Second, Value Output) : Operation([First, Second], [Output]);

/// <summary>Every pixel twice in both directions; with <paramref name="Like"/>, cut to that image's size (which may be odd).</summary>
internal sealed record Upsample(Value Input, Value? Like, Value Output) : Operation(Like is null ? [Input] : [Input, Like], [Output]);

/// <summary>An image as tokens, row by row.</summary>
internal sealed record ToTokens(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>Tokens as an image of another's size.</summary>
internal sealed record ToImage(Value Input, Value Like, Value Output) : Operation([Input, Like], [Output]);

/// <summary>Rows of a table by index, plus a row for each position.</summary>
internal sealed record Embedding(Value Ids, Value Output, Weight Table, Weight Positions) : Operation([Ids], [Output]);

/// <summary>Row <c>index[b]</c> of all batches' positions laid end to end, for each b.</summary>
internal sealed record SelectPosition(Value Input, Value Index, Value Output) : Operation([Input, Index], [Output]);

/// <summary>cos(x f), then sin(x f), with f = exp(-ln(10000) i / (n/2)), i = 0..n/2-1, appended as an innermost dimension of n.</summary>
internal sealed record Sinusoid(Value Input, Value Output, int Width) : Operation([Input], [Output]);

/// <summary>Micro-conditioning: pooled text, then every time id's sinusoid of n values, side by side.</summary>
internal sealed record ConcatenateRows(Value First, Value Second, Value Output) : Operation([First, Second], [Output]);

/// <summary>[steps, n] + [batch, n] -> [steps, batch, n], every step with every batch row.</summary>
internal sealed record AddOuter(Value Steps, Value Rows, Value Output) : Operation([Steps, Rows], [Output]);

/// <summary>[steps, batch, n_i] for each i -> [steps, batch * sum n_i]: within a step, one [batch, n_i] block behind the other.</summary>
internal sealed record PackSteps(IReadOnlyList<Value> Parts, Value Output) : Operation(Parts, [Output]);

/// <summary>The first and second half of the channels.</summary>
internal sealed record Halve(Value Input, Value First, Value Second) : Operation([Input], [First, Second]);

/// <summary>An image from -1 to 1 as bytes, channels innermost: round(255 clamp(x / 2 + 0.5)), half to even.</summary>
internal sealed record ToPixels(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>
/// A frame over a picture of bytes: pixel = round(picture * keep / 255) + colour, where the picture's rows and columns are those named for each
/// row and column of the canvas. Nothing here can fall between two bytes, so that every device gives the same ones.
/// </summary>
internal sealed record LayFrame(Value Picture, Value Rows, Value Columns, Value Colour, Value Keep, Value Output)
    : Operation([Picture, Rows, Columns, Colour, Keep], [Output]);

/// <summary>The same numbers in the output's own type.</summary>
internal sealed record Cast(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>0 where every element is finite, else not a number.</summary>
internal sealed record FaultOf(Value Input, Value Output) : Operation([Input], [Output]);
