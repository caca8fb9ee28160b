using MuseAtelier.Sampling;

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

    /// <summary>The sampler that a name means in some program; null if it means none of this library's.</summary>
    public static SamplerName? Find(string name) => SamplerCatalog.BuiltIn.Find(name);

    /// <summary>Whether k-diffusion draws a sampler's noise from a Brownian tree.</summary>
    public static bool UsesBrownianTree(SamplerName name) =>
        name == SamplerName.Dpmpp2MSde || name == SamplerName.Dpmpp2MSdeHeun || name == SamplerName.Dpmpp3MSde
        || name == SamplerName.DpmppSde;

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
