namespace MuseAtelier;

/// <summary>A program whose functions names of schedules and samplers mean.</summary>
public enum SamplingDialect
{
    /// <summary>diffusers.</summary>
    Diffusers,

    /// <summary>AUTOMATIC1111 and Forge.</summary>
    A1111,

    /// <summary>ComfyUI.</summary>
    Comfy,
}
