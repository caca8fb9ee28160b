using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;

namespace MuseAtelier.Pipeline;

/// <summary>
/// Pictures of one request, each with the seed after the previous one's; with a variation, each with the variation's seed after the
/// previous one's.
/// </summary>
/// <param name="Request">The request of the first picture.</param>
/// <param name="Count">The number of pictures.</param>
/// <param name="BatchSize">The number of pictures in a batch, 1 to <paramref name="Count"/>; null lets the plan choose.</param>
internal sealed record PictureSeries(PictureRequest Request, int Count, int? BatchSize)
{
    private RequestPrompts? _prompts;

    /// <summary>The folders in which prompts find embeddings by name.</summary>
    public EmbeddingFolder Embeddings { get; init; } = EmbeddingFolder.None;

    /// <summary>The prompts of all pictures, which are read once.</summary>
    /// <exception cref="PromptException">A prompt cannot be read in its syntax, or takes too many chunks, parts or versions.</exception>
    public RequestPrompts Prompts => _prompts ??= RequestPrompts.Of(Request, folder: Embeddings);

    /// <summary>Sentences for the user about the request as it was accepted.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>The steps of the schedule and those that run; null means those of the request.</summary>
    public StepSpan? Span { get; init; }

    /// <summary>
    /// [4, h, w] fp32 latents of an existing picture in the scale of the UNet, from which all pictures are painted; empty if there are
    /// none.
    /// </summary>
    public ReadOnlyMemory<float> Start { get; init; }

    /// <summary>The tiles in which the VAE works; null lets the plan choose.</summary>
    public TilePlan? Tiles { get; init; }

    /// <summary>Bytes of host memory that weights take that LoRAs change, on a device that reads weights from mapped files.</summary>
    public long MergedBytes { get; set; }

    /// <summary>The same for the LoRAs of the second pass.</summary>
    public long SecondMergedBytes { get; set; }

    /// <summary>What is made of the denoised latents.</summary>
    public PassOutput Output { get; init; }

    /// <summary>
    /// Whether each picture is painted from the enlarged pixels of its first pass, which are not known when the pass is planned.
    /// </summary>
    public bool EncodesEnlarged { get; init; }

    /// <summary>What all pictures are painted from, once it is encoded; null before, and for pictures of noise alone.</summary>
    public EncodedSource? Source { get; set; }

    /// <summary>
    /// The fixed slot of a single picture, whose rows the rest of its batch repeats; null if pictures fill the slots in order.
    /// </summary>
    public BatchSlot? Slot { get; init; }

    /// <summary>A series of a single picture that is computed exactly as in the given slot of a batch.</summary>
    public static PictureSeries At(PictureRequest request, BatchSlot slot) =>
        new(request, slot.BatchSize, slot.BatchSize) { Slot = slot };

    /// <summary>The number of pictures to paint.</summary>
    public int Wanted => Slot is null ? Count : 1;

    /// <summary>The request of a picture of the series, by its index from 0.</summary>
    public PictureRequest Picture(int index) => Request.InSeries(index);
}

/// <summary>What is made of the denoised latents of a series.</summary>
internal enum PassOutput
{
    /// <summary>A finished picture.</summary>
    Picture,

    /// <summary>The decoded pixels of one of two passes.</summary>
    Pixels,

    /// <summary>Nothing: the first of two passes, of which the latents are enlarged.</summary>
    Latents,
}
