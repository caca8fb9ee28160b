using CommunityToolkit.HighPerformance;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Prompting;

/// <summary>What the text encoders make of one text; host memory, kept while the atelier lives.</summary>
/// <param name="Context">[77, width L + width G] fp32: the penultimate hidden states of both encoders side by side.</param>
/// <param name="Pooled">[pooled width] fp32: CLIP-G's pooled output.</param>
internal sealed record PromptEmbeds(float[] Context, float[] Pooled)
{
    /// <summary>Some columns of the context as an array of their own: [77, width].</summary>
    public float[] Columns(int start, int width)
    {
        int all = Context.Length / ClipTokenizer.Positions;
        float[] columns = new float[ClipTokenizer.Positions * width];
        for (int row = 0; row < ClipTokenizer.Positions; row++)
            Context.AsSpan(row * all + start, width).CopyTo(columns.AsSpan(row * width));
        return columns;
    }
}

/// <summary>Runs both text encoders, and remembers the last texts: a series of pictures of one prompt encodes it once.</summary>
internal sealed class PromptEncoder(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private const int Remembered = 32;

    private static readonly PictureShape Shape = new(1, 0, 0, 0);
    private readonly Dictionary<string, PromptEmbeds> _known = [];
    private readonly Queue<string> _order = new();
    private ComponentRunner? _clipL;
    private ComponentRunner? _clipG;

    public PromptEmbeds Encode(PromptTokens tokens, string text, RunOptions options, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(text, out PromptEmbeds? known)) return known;
        PromptEmbeds embedding = Encode(tokens.ClipL.Span, tokens.ClipG.Span, options, cancellationToken);
        if (_order.Count == Remembered) _known.Remove(_order.Dequeue());
        _order.Enqueue(text);
        return _known[text] = embedding;
    }

    /// <summary>Encodes ids, 77 for each encoder.</summary>
    public PromptEmbeds Encode(ReadOnlySpan<int> idsL, ReadOnlySpan<int> idsG, RunOptions options, CancellationToken cancellationToken)
    {
        ModelSpec model = package.Manifest.Model;
        _clipL ??= new ComponentRunner(package.Manifest.Component(ComponentNames.ClipL), Shape, sessions, device);
        _clipG ??= new ComponentRunner(package.Manifest.Component(ComponentNames.ClipG), Shape, sessions, device);
        float[] hiddenL = new float[model.TextLength * model.ClipLWidth];
        float[] hiddenG = new float[model.TextLength * model.ClipGWidth];
        float[] pooled = new float[model.PooledWidth];

        Give(_clipL, "ids", idsL);
        _clipL.Run(options, cancellationToken);
        Take(_clipL, "hidden", hiddenL);

        Give(_clipG, "ids", idsG);
        Give(_clipG, "eos", [Math.Max(0, idsG.IndexOf(ClipVocabulary.EndOfText))]);
        _clipG.Run(options, cancellationToken);
        Take(_clipG, "hidden", hiddenG);
        Take(_clipG, "pooled", pooled);

        int width = model.ClipLWidth + model.ClipGWidth;
        float[] context = new float[model.TextLength * width];
        Span2D<float> rows = context.AsSpan().AsSpan2D(model.TextLength, width);
        hiddenL.AsSpan().AsSpan2D(model.TextLength, model.ClipLWidth).CopyTo(rows[.., ..model.ClipLWidth]);
        hiddenG.AsSpan().AsSpan2D(model.TextLength, model.ClipGWidth).CopyTo(rows[.., model.ClipLWidth..]);
        return new PromptEmbeds(context, pooled);
    }

    /// <summary>Gives back the encoders' memory; they come again when a new text does.</summary>
    public void Release()
    {
        _clipL?.Dispose();
        _clipG?.Dispose();
        (_clipL, _clipG) = (null, null);
        sessions.Release(package.Manifest.Component(ComponentNames.ClipL));
        sessions.Release(package.Manifest.Component(ComponentNames.ClipG));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _clipL?.Dispose();
        _clipG?.Dispose();
    }

    private void Give(ComponentRunner component, string input, ReadOnlySpan<int> ids)
    {
        using NativeBuffer host = device.AllocateHost(component.Size(input));
        Span<long> wide = host.AsSpan<long>();
        for (int i = 0; i < ids.Length; i++) wide[i] = ids[i];
        device.Upload(host.Address, component.Address(input), component.Size(input));
        device.Synchronize();
    }

    private void Take(ComponentRunner component, string output, Span<float> values)
    {
        using NativeBuffer host = device.AllocateHost(component.Size(output));
        device.Download(component.Address(output), host.Address, component.Size(output));
        device.Synchronize();
        host.AsSpan<float>().CopyTo(values);
        if (values.ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw NotFiniteException.OfText(
                component == _clipL ? ComponentNames.ClipL : ComponentNames.ClipG, package.Manifest.PartPrecisions.TextEncoders.Arithmetic);
    }
}
