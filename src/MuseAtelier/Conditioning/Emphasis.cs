namespace MuseAtelier.Conditioning;

/// <summary>How the weights of tokens act on their hidden states.</summary>
internal enum Emphasis
{
    /// <summary>
    /// Multiplies each state by its weight, then each encoder's states of the chunk by a factor that restores their mean (AUTOMATIC1111,
    /// modules/sd_emphasis.py, EmphasisOriginal).
    /// </summary>
    RestoredMean,

    /// <summary>Multiplies each state by its weight (AUTOMATIC1111, modules/sd_emphasis.py, EmphasisOriginalNoNorm).</summary>
    Scaled,

    /// <summary>
    /// Moves each state away from the state of the empty prompt at the same place, by the weight (ComfyUI, comfy/sd1_clip.py,
    /// ClipTokenWeightEncoder).
    /// </summary>
    FromEmptyPrompt,
}
