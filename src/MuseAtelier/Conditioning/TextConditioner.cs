using CommunityToolkit.HighPerformance;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Adapters;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Runs both text encoders. It keeps the last embeddings, so that a series of pictures of one prompt encodes it once, and encodes equal
/// chunks of a prompt once.
/// </summary>
internal sealed class TextConditioner(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    // With SDXL's widths, the embeddings of a chunk take 616 KiB.
    private const int MostKeptChunks = 64;

    private static readonly PictureShape Shape = new(1, 0, 0, 0);
    private readonly Dictionary<EncodedLayer, PromptEmbeds> _kept = [];
    private readonly Queue<EncodedLayer> _order = new();
    private int _keptChunks;
    private ComponentRunner? _clipL;
    private ComponentRunner? _clipG;

    /// <summary>Encodes a prompt, or finds its embeddings among those of the last 64 chunks.</summary>
    /// <param name="chunks">The prompt's tokens.</param>
    /// <param name="clipSkip">The layer of both encoders, counted from the last one, from 1; 1 means the same as 2.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between stages.</param>
    /// <returns>The embeddings, with <see cref="PromptChunks.Tokens"/> rows. Shared: they must not be changed.</returns>
    /// <exception cref="ClipSkipException">The layer is beyond those that the encoders output.</exception>
    /// <exception cref="NotFiniteException">An encoder's output is not finite.</exception>
    /// <exception cref="EmbeddingShapeException">An embedding's vectors have other widths than the encoders.</exception>
    public PromptEmbeds Encode(PromptChunks chunks, int clipSkip, RunOptions options, CancellationToken cancellationToken)
    {
        ClipSkipException.ThrowIfBeyond(clipSkip, package.Manifest.MostClipSkip);
        var layer = new EncodedLayer(chunks, ConditioningNames.HiddenStates(clipSkip));
        if (_kept.TryGetValue(layer, out PromptEmbeds? known)) return known;
        PromptEmbeds embeds = Run(chunks, clipSkip, options, cancellationToken);
        while (_order.Count > 0 && _keptChunks + chunks.Count > MostKeptChunks)
        {
            EncodedLayer oldest = _order.Dequeue();
            _kept.Remove(oldest);
            _keptChunks -= oldest.Chunks.Count;
        }

        _order.Enqueue(layer);
        _keptChunks += chunks.Count;
        return _kept[layer] = embeds;
    }

    /// <summary>Encodes a prompt with the layer that SDXL is trained with.</summary>
    public PromptEmbeds Encode(PromptChunks chunks, RunOptions options, CancellationToken cancellationToken) =>
        Encode(chunks, ConditioningNames.UsualClipSkip, options, cancellationToken);

    /// <summary>Forgets all embeddings, because the encoders' weights change.</summary>
    public void Forget()
    {
        _kept.Clear();
        _order.Clear();
        _keptChunks = 0;
    }

    /// <summary>Frees the encoders' memory. The next prompt that is not kept loads them again.</summary>
    public void Release()
    {
        Dispose();
        sessions.Release(package.Manifest.Component(ComponentNames.ClipL));
        sessions.Release(package.Manifest.Component(ComponentNames.ClipG));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _clipL?.Dispose();
        _clipG?.Dispose();
        _clipL = null;
        _clipG = null;
    }

    // The pooled output of a long prompt is its first chunk's (AUTOMATIC1111, modules/sd_hijack_clip.py, zs[0].pooled).
    private PromptEmbeds Run(PromptChunks chunks, int clipSkip, RunOptions options, CancellationToken cancellationToken)
    {
        ModelSpec model = package.Manifest.Model;
        _clipL ??= new ComponentRunner(package.Manifest.Component(ComponentNames.ClipL), Shape, sessions, device);
        _clipG ??= new ComponentRunner(package.Manifest.Component(ComponentNames.ClipG), Shape, sessions, device);
        foreach (Embedding embedding in chunks.Embeddings) embedding.RequireWidths(model.ClipLWidth, model.ClipGWidth);
        string output = ConditioningNames.HiddenStates(clipSkip);
        int width = model.ClipLWidth + model.ClipGWidth;
        float[] hidden = new float[chunks.Tokens * width];
        float[] pooled = new float[model.PooledWidth];
        float[] hiddenL = new float[TextChunk.Length * model.ClipLWidth];
        float[] hiddenG = new float[TextChunk.Length * model.ClipGWidth];
        for (int chunk = 0; chunk < chunks.Count; chunk++)
        {
            Span<float> states = hidden.AsSpan(chunk * TextChunk.Length * width, TextChunk.Length * width);
            if (chunks.FirstEqual(chunk) is var equal && equal < chunk)
            {
                hidden.AsSpan(equal * states.Length, states.Length).CopyTo(states);
                continue;
            }

            WriteTokens(_clipL, chunks, chunks.ClipL(chunk), static (embedding, row) => embedding.ClipL(row), model.ClipLWidth);
            _clipL.Run(options, cancellationToken);
            Read(_clipL, output, hiddenL);

            ReadOnlySpan<int> ids = chunks.ClipG(chunk);
            WriteTokens(_clipG, chunks, ids, static (embedding, row) => embedding.ClipG(row), model.ClipGWidth);
            _clipG.Write<long>("eos", [Math.Max(0, ids.IndexOf(ClipVocabulary.EndOfText))]);
            _clipG.Run(options, cancellationToken);
            Read(_clipG, output, hiddenG);
            if (chunk == 0) Read(_clipG, "pooled", pooled);

            ScaleByWeights(chunks, chunk, hiddenL, hiddenG);
            Span2D<float> rows = states.AsSpan2D(TextChunk.Length, width);
            hiddenL.AsSpan().AsSpan2D(TextChunk.Length, model.ClipLWidth).CopyTo(rows[.., ..model.ClipLWidth]);
            hiddenG.AsSpan().AsSpan2D(TextChunk.Length, model.ClipGWidth).CopyTo(rows[.., model.ClipLWidth..]);
        }

        if (chunks.Emphasis == Emphasis.FromEmptyPrompt)
        {
            // The empty prompt is one chunk, and its weights are 1, so that this goes no deeper.
            PromptEmbeds empty = Encode(PromptChunks.Empty, clipSkip, options, cancellationToken);
            for (int chunk = 0; chunk < chunks.Count; chunk++)
            {
                Span<float> states = hidden.AsSpan(chunk * empty.Hidden.Length, empty.Hidden.Length);
                TokenWeights.Interpolate(states, empty.Hidden, chunks.WeightsOf(chunk));
            }
        }

        return new PromptEmbeds(chunks.Tokens, hidden, pooled);
    }

    // The emphasis that acts on each encoder by itself. The other one acts on the states of both together.
    private static void ScaleByWeights(PromptChunks chunks, int chunk, Span<float> hiddenL, Span<float> hiddenG)
    {
        ReadOnlySpan<float> weights = chunks.WeightsOf(chunk);
        if (chunks.Emphasis == Emphasis.FromEmptyPrompt || TokenWeights.AreNeutral(weights)) return;
        bool restoresMean = chunks.Emphasis == Emphasis.RestoredMean;
        TokenWeights.Scale(hiddenL, weights, restoresMean);
        TokenWeights.Scale(hiddenG, weights, restoresMean);
    }

    // An encoder takes the vectors of one chunk, so the ids of vectors are numbered anew. What other chunks left in the rows that no id
    // names has no effect.
    private static void WriteTokens(
        ComponentRunner component, PromptChunks chunks, ReadOnlySpan<int> ids, Func<Embedding, int, ReadOnlySpan<float>> vectorOf, int width)
    {
        long[] wide = new long[ids.Length];
        float[]? vectors = null;
        int count = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            wide[i] = ids[i];
            if (ids[i] < TextChunk.Vocabulary) continue;
            vectors ??= new float[TextChunk.Capacity * width];
            (Embedding embedding, int row) = chunks.VectorOf(ids[i]);
            vectorOf(embedding, row).CopyTo(vectors.AsSpan(count * width, width));
            wide[i] = TextChunk.Vocabulary + count++;
        }

        component.Write<long>("ids", wide);
        if (vectors is not null) component.Write<float>(TextChunk.Vectors, vectors);
    }

    private void Read(ComponentRunner component, string output, Span<float> values)
    {
        component.Read(output, values);
        if (!values.ContainsAnyExceptInRange(float.MinValue, float.MaxValue)) return;
        string name = component == _clipL ? ComponentNames.ClipL : ComponentNames.ClipG;
        throw NotFiniteException.OfText(name, package.Manifest.PartPrecisions.TextEncoders.Arithmetic);
    }

    /// <summary>The key of kept embeddings.</summary>
    /// <param name="Chunks">The prompt's tokens.</param>
    /// <param name="Output">The encoders' output that holds the layer.</param>
    private readonly record struct EncodedLayer(PromptChunks Chunks, string Output);
}
