namespace MuseAtelier;

/// <summary>How the weights of a prompt in AUTOMATIC1111's syntax act (modules/sd_emphasis.py).</summary>
public enum PromptEmphasis
{
    /// <summary>Weights multiply the encoders' output, whose mean is restored afterwards: AUTOMATIC1111's Original.</summary>
    Original,

    /// <summary>Weights multiply the encoders' output: AUTOMATIC1111's No norm.</summary>
    NoNorm,
}
