namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of samplers and models in other programs' texts.</summary>
internal static class SamplerNames
{
    // "Uniform" is not in this list, because it ends the name of a schedule, "SGM Uniform".
    private static readonly string[] Schedules =
        ["karras", "trailing", "discrete", "normal", "simple", "default", "automatic", "sgm_uniform", "exponential", "beta", "ays", "gits",
            "kl_optimal", "polyexponential", "ddim_uniform", "align_your_steps"];

    private static readonly string[] ModelExtensions = [".safetensors", ".ckpt", ".sft", ".gguf", ".pth", ".pt", ".bin"];

    /// <summary>Splits a name into the sampler's and, if one follows, the schedule's: "Euler a Karras", "euler_a trailing".</summary>
    public static (string Sampler, string Schedule) Split(string value)
    {
        string trimmed = value.Trim();
        foreach (string schedule in Schedules)
        {
            int at = trimmed.Length - schedule.Length - 1;
            if (at > 0 && trimmed[at] is ' ' or '_' && trimmed.EndsWith(schedule, StringComparison.OrdinalIgnoreCase))
                return (trimmed[..at], trimmed[(at + 1)..]);
        }

        return (trimmed, "");
    }

    /// <summary>
    /// The sampler that a name means in some program, such as Euler a, euler_a, k_euler_ancestral or EulerAncestralDiscreteScheduler; null
    /// if it means none of this library's.
    /// </summary>
    public static SamplerName? Find(string name)
    {
        string folded = Fold(name);
        if (folded.StartsWith("samplek", StringComparison.Ordinal)) folded = folded["samplek".Length..];
        else if (folded is ['k', 'e' or 'd' or 'h' or 'l', ..]) folded = folded[1..];
        return folded switch
        {
            "eulera" or "eulerancestral" or "eulerancestraldiscrete" or "eulerancestraldiscretescheduler" => SamplerName.EulerAncestral,
            "euler" or "eulerdiscrete" or "eulerdiscretescheduler" => SamplerName.Euler,
            "dpm2m" or "dpmpp2m" or "dpmplusplus2m" => SamplerName.Dpmpp2M,
            "heun" or "heundiscrete" or "heundiscretescheduler" => SamplerName.Heun,
            "dpm2" or "dpm2discrete" or "dpm2discretescheduler" => SamplerName.Dpm2,
            "dpm2a" or "dpm2ancestral" or "dpm2ancestraldiscrete" or "dpm2ancestraldiscretescheduler" => SamplerName.Dpm2Ancestral,
            "lms" or "lmsdiscrete" or "lmsdiscretescheduler" => SamplerName.Lms,
            "dpm2sa" or "dpmpp2sa" or "dpmpp2sancestral" or "dpm2sancestral" => SamplerName.Dpmpp2SAncestral,
            "ddim" or "ddimscheduler" => SamplerName.Ddim,
            "dpm2msde" or "dpmpp2msde" or "dpmpp2msdegpu" => SamplerName.Dpmpp2MSde,
            "dpm2msdeheun" or "dpmpp2msdeheun" or "dpmpp2msdeheungpu" => SamplerName.Dpmpp2MSdeHeun,
            "dpm3msde" or "dpmpp3msde" or "dpmpp3msdegpu" => SamplerName.Dpmpp3MSde,
            _ => null,
        };
    }

    /// <summary>Whether k-diffusion draws a sampler's noise from a Brownian tree, where this library draws plain normal numbers.</summary>
    public static bool UsesBrownianTree(SamplerName name) =>
        name == SamplerName.Dpmpp2MSde || name == SamplerName.Dpmpp2MSdeHeun || name == SamplerName.Dpmpp3MSde;

    /// <summary>The name's letters and digits in lower case.</summary>
    public static string Fold(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit).Select(char.ToLowerInvariant));

    /// <summary>A model's name without the folders and the extension that some programs write.</summary>
    public static string Model(string name)
    {
        string file = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        foreach (string extension in ModelExtensions)
            if (file.Length > extension.Length && file.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
                return file[..^extension.Length];
        return file;
    }
}
