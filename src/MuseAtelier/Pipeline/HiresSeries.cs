namespace MuseAtelier.Pipeline;

/// <summary>The two series of a picture with a second pass, or of several such pictures.</summary>
/// <param name="First">The first pass: batches at the request's size, of which only what the second pass needs is kept.</param>
/// <param name="Second">The second pass: one picture at a time at the larger size.</param>
internal sealed record HiresSeries(PictureSeries First, PictureSeries Second)
{
    /// <summary>The passes of a series whose request has a second pass.</summary>
    /// <param name="series">The series.</param>
    /// <exception cref="PromptException">A prompt cannot be read in its syntax, or takes too many chunks, parts or versions.</exception>
    public static HiresSeries Of(PictureSeries series)
    {
        PictureRequest request = series.Request;
        bool isLatent = KernelOf(request.Hires!.Upscaler) is not null;
        PictureSeries first = series with
        {
            Request = HiresRules.FirstPassOf(request),
            Output = isLatent ? PassOutput.Latents : PassOutput.Pixels,
        };
        var second = new PictureSeries(HiresRules.SecondPassOf(request), series.Wanted, 1)
        {
            Embeddings = series.Embeddings,
            Span = HiresRules.SpanOf(request),
            EncodesEnlarged = !isLatent,
            Output = PassOutput.Pixels,
            MergedBytes = series.SecondMergedBytes,
        };
        return new HiresSeries(first, second);
    }

    /// <summary>The request for a plan of both passes.</summary>
    /// <param name="options">The options of the atelier.</param>
    /// <param name="budget">The budget in bytes.</param>
    public ResidencyRequest PlanRequest(AtelierOptions options, long budget) => BatchPlanner.RequestOf(First, options, budget) with
    {
        SecondPass = BatchPlanner.RequestOf(Second, options, budget),
    };

    /// <summary>The passes with the given tiles for the VAE in both.</summary>
    public HiresSeries InTiles(TilePlan tiles) => new(First with { Tiles = tiles }, Second with { Tiles = tiles });

    /// <summary>The kernel by which latents are enlarged; null if decoded pixels are.</summary>
    public static Sampling.LatentKernel? KernelOf(HiresUpscaler upscaler)
    {
        if (upscaler.Id == HiresUpscaler.Latent.Id) return Sampling.LatentKernel.Bilinear;
        if (upscaler.Id == HiresUpscaler.LatentBicubic.Id) return Sampling.LatentKernel.Bicubic;
        return upscaler.Id == HiresUpscaler.LatentNearest.Id ? Sampling.LatentKernel.Nearest : null;
    }
}
