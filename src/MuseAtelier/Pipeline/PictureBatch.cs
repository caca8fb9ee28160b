using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Recipe;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Pictures that are denoised together, on their way through the phases.</summary>
internal sealed class PictureBatch
{
    private readonly SeriesRun _run;
    private readonly PictureRequest[] _requests;
    private BatchLoras? _loras;

    /// <param name="run">The call that paints them.</param>
    /// <param name="plan">The plan in force.</param>
    /// <param name="requests">The pictures: one request except for the seeds.</param>
    /// <param name="slot">The first picture's slot in the batch; the others follow it.</param>
    /// <param name="sampling">Makes the recipe and the noise.</param>
    public PictureBatch(SeriesRun run, ResidencyPlan plan, PictureRequest[] requests, BatchSlot slot, ModelSampling sampling)
    {
        (_run, _requests) = (run, requests);
        FirstIndex = run.Next;
        Plan = plan;
        Slot = slot;
        Prompts = run.Series.Prompts;
        Recipe = sampling.RecipeOf(Request, Prompts.Weights, run.Series.Span);
        Prediction = sampling.PredictionOf(Request);
        LatentFormat = LatentFormat.Of(sampling.Model, Prediction.Type);
        LatentColours = LatentColours.Of(sampling.Model);
        Noise = sampling.NoiseOf(requests);
        Notices = [.. run.Notices, .. run.Series.Notices, .. IgnoredMembers.Of(Request)];
    }

    /// <summary>The plan in force.</summary>
    public ResidencyPlan Plan { get; }

    /// <summary>The series that the pictures belong to.</summary>
    public PictureSeries Series => _run.Series;

    /// <summary>What the pictures are painted from, once it is encoded; null before, and for pictures of noise alone.</summary>
    public EncodedSource? Source { get; set; }

    /// <summary>The request of each picture.</summary>
    public IReadOnlyList<PictureRequest> Requests => _requests;

    /// <summary>Index of the first picture in its series.</summary>
    public int FirstIndex { get; }

    /// <summary>The request of the first picture; the others differ in their seeds alone.</summary>
    public PictureRequest Request => _requests[0];

    /// <summary>The number of pictures.</summary>
    public int Count => _requests.Length;

    /// <summary>The first picture's slot. The batch has its number of slots, which may be more than there are pictures.</summary>
    public BatchSlot Slot { get; }

    /// <summary>Height of the latents.</summary>
    public int LatentHeight => Request.Height / LatentGeometry.VaeScaleFactor;

    /// <summary>Width of the latents.</summary>
    public int LatentWidth => Request.Width / LatentGeometry.VaeScaleFactor;

    /// <summary>The prompts.</summary>
    public RequestPrompts Prompts { get; }

    /// <summary>The noise levels, the sampler, the prediction and the guidance of the pictures.</summary>
    public SamplingRecipe Recipe { get; }

    /// <summary>The quantity that the model is taken to predict, and why.</summary>
    public PredictionChoice Prediction { get; }

    /// <summary>The scale of the latents; null for SDXL's.</summary>
    public LatentFormat? LatentFormat { get; }

    /// <summary>The colours of the latents.</summary>
    public LatentColours LatentColours { get; }

    /// <summary>The noise of each picture.</summary>
    public PictureNoise[] Noise { get; }

    /// <summary>Sentences for the user about these pictures.</summary>
    public List<string> Notices { get; }

    /// <summary>The LoRAs that the pictures are painted with; empty if there are none.</summary>
    public IReadOnlyList<UsedLora> Loras => _loras?.Used ?? [];

    /// <summary>The memory of the phases that have ended, in order; of the decoding, none.</summary>
    public List<PhaseMemory> Memory { get; } = [];

    /// <summary>The time in which the LoRAs of the batch were put in force.</summary>
    public TimeSpan MergingTime { get; private set; }

    /// <summary>The time of text encoders, cross-attention and time embeddings for the whole batch.</summary>
    public TimeSpan TextTime { get; set; }

    /// <summary>The time of preparing and encoding what the pictures are painted from.</summary>
    public TimeSpan EncodingTime { get; set; }

    /// <summary>Whether anybody receives reports of progress.</summary>
    public bool HasProgress => _run.HasProgress;

    /// <summary>States the LoRAs that are in force.</summary>
    /// <param name="loras">The LoRAs; null if there are none. Borrowed.</param>
    /// <param name="time">The time in which they were put in force.</param>
    public void Use(BatchLoras? loras, TimeSpan time)
    {
        (_loras, MergingTime) = (loras, time);
        if (loras is not null) Notices.AddRange(loras.Notices);
    }

    /// <summary>Hands over a finished picture.</summary>
    public void Deliver(Picture picture) => _run.Deliver(picture);

    /// <summary>Reports progress of the whole batch.</summary>
    public void Report(GenerationPhase phase, int step, LatentPreview? preview = null) => _run.Report(phase, step, preview, Count);

    /// <summary>Reports progress of the next picture that is not finished.</summary>
    public void ReportPicture(GenerationPhase phase) => _run.Report(phase, Recipe.EvaluationsRun, null, 1);
}
