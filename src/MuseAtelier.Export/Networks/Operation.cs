using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>A mathematical operation of a network. The lowering decides how a device computes it.</summary>
internal abstract record Operation(IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs);

/// <summary>
/// A convolution. <paramref name="Pad"/> is the padding before the first row and column, <paramref name="PadEnd"/> the padding after the
/// last.
/// </summary>
internal sealed record Convolution(Value Input, Value Output, Weight Kernel, Weight? Bias, int Stride = 1, int Pad = 1, int PadEnd = 1)
    : Operation([Input], [Output]);

/// <summary>
/// Normalises over groups of channels, then scales and offsets each channel. <paramref name="Embedding"/>, a projection of the time
/// embedding with one value a channel, is added to the input first.
/// </summary>
internal sealed record GroupNorm(Value Input, Value? Embedding, Value Output, Weight Scale, Weight Offset, float Epsilon, bool Silu)
    : Operation(Embedding is null ? [Input] : [Input, Embedding], [Output])
{
    public const int Groups = 32;
}

/// <summary>
/// sum = input + bias + residual; output = group norm of sum. Networks are not described with it: a lowering makes it from a sum and a norm
/// where the device computes both in one operator. A residual of two dimensions has one value a channel.
/// </summary>
/// <param name="Norm">The norm, which gives scale, offset, epsilon and output. Its own input is not read.</param>
/// <param name="Input">The first term of the sum.</param>
/// <param name="Bias">One value a channel; null for none.</param>
/// <param name="Residual">The second term of the sum; null for none.</param>
/// <param name="Sum">Receives the sum; null where only the norm reads it.</param>
internal sealed record ResidualGroupNorm(GroupNorm Norm, Value Input, Weight? Bias, Value? Residual, Value? Sum)
    : Operation(Residual is null ? [Input] : [Input, Residual], Sum is null ? [Norm.Output] : [Norm.Output, Sum])
{
    public Value Output => Norm.Output;
}

/// <summary>input * weight^T (+ bias). With <paramref name="Transposed"/>, input * weight.</summary>
internal sealed record Linear(Value Input, Value Output, Weight Kernel, Weight? Bias, bool Transposed = false)
    : Operation([Input], [Output]);

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

/// <summary>
/// softmax(q k^T / sqrt(head width)) v, for each head. With <paramref name="Causal"/>, a position does not attend to later ones.
/// </summary>
internal sealed record Attention(Value Query, Value Key, Value Value, Value Output, int Heads, bool Causal = false)
    : Operation([Query, Key, Value], [Output]);

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

/// <summary>Applies a nonlinear function to each element.</summary>
internal sealed record Activation(Value Input, Value Output, Nonlinearity Function) : Operation([Input], [Output]);

/// <summary>The sum of two values of one shape and of an optional bias with one value a channel.</summary>
internal sealed record Add(Value Left, Value Right, Value Output, Weight? Bias = null) : Operation([Left, Right], [Output]);

/// <summary>Concatenates two images along their channels.</summary>
internal sealed record Concatenate(Value First, Value Second, Value Output) : Operation([First, Second], [Output]);

/// <summary>
/// Repeats every pixel <paramref name="Factor"/> times in both directions. With <paramref name="Like"/>, the result is cut to the size of
/// that image, which may be odd.
/// </summary>
internal sealed record Upsample(Value Input, Value? Like, Value Output, int Factor = 2)
    : Operation(Like is null ? [Input] : [Input, Like], [Output]);

/// <summary>x where it is positive, else <paramref name="Slope"/> * x.</summary>
internal sealed record LeakyRelu(Value Input, Value Output, float Slope) : Operation([Input], [Output]);

/// <summary>x where it is positive, else x times the slope of its channel.</summary>
internal sealed record ParametricRelu(Value Input, Value Output, Weight Slopes) : Operation([Input], [Output]);

/// <summary>branch * <paramref name="Factor"/> + residual.</summary>
internal sealed record AddScaled(Value Branch, Value Residual, Value Output, float Factor) : Operation([Branch, Residual], [Output]);

/// <summary>
/// Makes a square of <paramref name="Factor"/> x <paramref name="Factor"/> pixels of each pixel: channel (c f + row) f + column of the
/// input is channel c of the output (torch.nn.PixelShuffle).
/// </summary>
internal sealed record PixelShuffle(Value Input, Value Output, int Factor) : Operation([Input], [Output]);

/// <summary>The reverse of <see cref="PixelShuffle"/> (torch.nn.PixelUnshuffle).</summary>
internal sealed record PixelUnshuffle(Value Input, Value Output, int Factor) : Operation([Input], [Output]);

/// <summary>Converts bytes, channels innermost, to an image from 0 to 1.</summary>
internal sealed record FromPixels(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>Converts an image to tokens, row by row.</summary>
internal sealed record ToTokens(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>Converts tokens to an image of the size of <paramref name="Like"/>.</summary>
internal sealed record ToImage(Value Input, Value Like, Value Output) : Operation([Input, Like], [Output]);

/// <summary>
/// Looks up a row of the table for each id below <see cref="TextChunk.Vocabulary"/>, and row id - Vocabulary of
/// <paramref name="Vectors"/> for each other id, and adds the row of its position.
/// </summary>
internal sealed record Embedding(Value Ids, Value Vectors, Value Output, Weight Table, Weight Positions)
    : Operation([Ids, Vectors], [Output]);

/// <summary>For each b, row <c>index[b]</c> of the positions of all rows laid end to end.</summary>
internal sealed record SelectPosition(Value Input, Value Index, Value Output) : Operation([Input, Index], [Output]);

/// <summary>cos(x f), then sin(x f), with f = exp(-ln(10000) i / (n/2)), i = 0..n/2-1, appended as an innermost dimension of n.</summary>
internal sealed record Sinusoid(Value Input, Value Output, int Width) : Operation([Input], [Output]);

/// <summary>Micro-conditioning: the pooled text, then the sinusoid of n values for every time id, side by side.</summary>
internal sealed record ConcatenateRows(Value First, Value Second, Value Output) : Operation([First, Second], [Output]);

/// <summary>[steps, n] + [rows, n] -> [steps, rows, n]: the sum of every step with every row.</summary>
internal sealed record AddOuter(Value Steps, Value Rows, Value Output) : Operation([Steps, Rows], [Output]);

/// <summary>[steps, rows, n_i] for each i -> [steps, rows * sum n_i]: within a step, the blocks [rows, n_i] follow each other.</summary>
internal sealed record PackSteps(IReadOnlyList<Value> Parts, Value Output) : Operation(Parts, [Output]);

/// <summary>Splits the channels into a first and a second half.</summary>
internal sealed record Halve(Value Input, Value First, Value Second) : Operation([Input], [First, Second]);

/// <summary>
/// Converts an image from -1 to 1 to bytes, channels innermost: round(255 clamp(x / 2 + 0.5)), half to even. With
/// <paramref name="IsUnit"/>, the image is from 0 to 1: round(255 clamp(x)).
/// </summary>
internal sealed record ToPixels(Value Input, Value Output, bool IsUnit = false) : Operation([Input], [Output]);

/// <summary>
/// Lays a frame over a picture of bytes: pixel = round(picture * keep / 255) + colour. <paramref name="Rows"/> and
/// <paramref name="Columns"/> name the picture's row or column for each row or column of the canvas. No result lies midway between two
/// bytes, so every device gives the same bytes.
/// </summary>
internal sealed record LayFrame(Value Picture, Value Rows, Value Columns, Value Colour, Value Keep, Value Output)
    : Operation([Picture, Rows, Columns, Colour, Keep], [Output]);

/// <summary>Converts a value to the element type of the output.</summary>
internal sealed record Cast(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>Converts an image to the form of a component's border: [rows, channels, height, width] in the output's type.</summary>
internal sealed record ToBorder(Value Input, Value Output) : Operation([Input], [Output]);

/// <summary>0 where every element is finite, else NaN.</summary>
internal sealed record FaultOf(Value Input, Value Output) : Operation([Input], [Output]);
