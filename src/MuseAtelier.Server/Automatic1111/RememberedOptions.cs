using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>The settings of AUTOMATIC1111 that have a meaning here, with its defaults. The server remembers them until it ends.</summary>
internal sealed record RememberedOptions
{
    /// <summary>
    /// CLIP_stop_at_last_layers: the layer of the text encoders, counted from the last. As in Forge, 1 means 2, SDXL's own.
    /// </summary>
    public int ClipSkip { get; init; } = 1;

    /// <summary>randn_source: the generator of the noise, GPU, NV or CPU.</summary>
    public string NoiseSource { get; init; } = "GPU";

    /// <summary>emphasis: how weights in prompts act, Original, No norm or None.</summary>
    public string Emphasis { get; init; } = "Original";

    /// <summary>comma_padding_backtrack: the most tokens after a comma that move to the next chunk.</summary>
    public int CommaBacktrack { get; init; } = 20;

    /// <summary>eta_ancestral: the strength of the noise in every step of all samplers but DDIM.</summary>
    public float EtaAncestral { get; init; } = 1;

    /// <summary>eta_ddim: the strength of the noise in every step of DDIM.</summary>
    public float EtaDdim { get; init; }

    /// <summary>sd_noise_schedule: Default, or Zero Terminal SNR.</summary>
    public string NoiseSchedule { get; init; } = "Default";

    /// <summary>skip_early_cond: the share of the steps before which there is no guidance.</summary>
    public float SkippedGuidance { get; init; }

    /// <summary>samples_format: the format of the files.</summary>
    public PictureFormat Format { get; init; } = PictureFormat.Png;

    /// <summary>jpeg_quality: the quality of JPEG and WebP.</summary>
    public int Quality { get; init; } = 80;
}
