using System.Text.Json;
using MuseAtelier.Format;
using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>What a scheduler's class and configuration in diffusers mean here.</summary>
internal sealed class SchedulerConfiguration
{
    private static readonly Dictionary<string, object> Fixed = new(StringComparer.Ordinal)
    {
        ["beta_start"] = 0.00085,
        ["beta_end"] = 0.012,
        ["beta_schedule"] = "scaled_linear",
        ["num_train_timesteps"] = 1000.0,
        ["solver_order"] = 2.0,
        ["final_sigmas_type"] = "zero",
        ["original_inference_steps"] = 50.0,
        ["clip_sample"] = false,
        ["rescale_betas_zero_snr"] = false,
        ["thresholding"] = false,
        ["interpolation_type"] = "linear",
        ["timestep_type"] = "discrete",
        ["variance_type"] = "fixed_small",
    };

    private readonly JsonElement _configuration;

    private SchedulerConfiguration(JsonElement entry)
    {
        string type = Text(entry, "cls") ?? "";
        bool hasConfiguration = entry.TryGetProperty("config", out _configuration) && _configuration.ValueKind == JsonValueKind.Object;
        if (!hasConfiguration) Unsupported = "the JSON file has no configuration";
        if (entry.TryGetProperty("init_noise_sigma", out JsonElement scale) && scale.ValueKind == JsonValueKind.Number)
            InitialNoiseScale = scale.GetSingle();
        IsScaled = type is not ("EulerDiscreteScheduler" or "EulerAncestralDiscreteScheduler" or "HeunDiscreteScheduler"
            or "LMSDiscreteScheduler");
        Sampler = SamplerOf(type);
        Prediction = Value("prediction_type", "epsilon") == "v_prediction" ? PredictionType.Velocity : PredictionType.Epsilon;
        Choice = new ScheduleChoice(ScheduleOf(type), SamplingDialect.Diffusers) { IsMultistep = IsMultistep(type) };
        if (Sampler.Length == 0) Unsupported ??= $"no such scheduler: {Shorten(type)}";
        Unsupported ??= FindUnsupported(type);
    }

    /// <summary>The sampler's name; empty if there is none for the class.</summary>
    public string Sampler { get; }

    /// <summary>The quantity that the model predicts.</summary>
    public PredictionType Prediction { get; }

    /// <summary>The schedule.</summary>
    public ScheduleChoice Choice { get; }

    /// <summary>Whether the scheduler holds latents of the variance 1: x / sqrt(sigma^2 + 1).</summary>
    public bool IsScaled { get; }

    /// <summary>The scheduler's init_noise_sigma; null if the file has none.</summary>
    public float? InitialNoiseScale { get; }

    /// <summary>Why the class or its configuration cannot be run here; null if it can.</summary>
    public string? Unsupported { get; }

    /// <summary>Reads an entry of the JSON file.</summary>
    public static SchedulerConfiguration Read(JsonElement entry) => new(entry);

    private static bool IsMultistep(string type) => type is "DPMSolverMultistepScheduler" or "UniPCMultistepScheduler";

    private static bool IsConsistency(string type) => type is "LCMScheduler" or "TCDScheduler";

    private string SamplerOf(string type) => type switch
    {
        "EulerDiscreteScheduler" => "euler",
        "EulerAncestralDiscreteScheduler" => "euler_a",
        "HeunDiscreteScheduler" => "heun",
        "LMSDiscreteScheduler" => "lms",
        "DDIMScheduler" => "ddim",
        "DDPMScheduler" => "ddpm",
        "LCMScheduler" => "lcm",
        "TCDScheduler" => "tcd",
        "UniPCMultistepScheduler" => UniPc(),
        "DPMSolverMultistepScheduler" when Value("algorithm_type", "dpmsolver++") == "dpmsolver++" => "dpmpp_2m",
        "DPMSolverMultistepScheduler" when Value("solver_type", "midpoint") == "heun" => "dpmpp_2m_sde_heun",
        "DPMSolverMultistepScheduler" => "dpmpp_2m_sde",
        _ => "",
    };

    // A catalogue may have the two variants under two names.
    private string UniPc() =>
        Value("solver_type", "bh2") == "bh2" && CheckedSamplers.Find("uni_pc_bh2") is not null ? "uni_pc_bh2" : "uni_pc";

    private NoiseSchedule ScheduleOf(string type)
    {
        TimestepSpacing spacing = Value("timestep_spacing", DefaultSpacing(type)) switch
        {
            _ when IsConsistency(type) => TimestepSpacing.Lcm,
            _ when IsOn("use_exponential_sigmas") => TimestepSpacing.Exponential,
            _ when IsOn("use_beta_sigmas") => TimestepSpacing.Beta,
            "leading" => TimestepSpacing.Leading,
            "trailing" => TimestepSpacing.Trailing,
            _ => TimestepSpacing.Linspace,
        };
        return new NoiseSchedule { Spacing = spacing, Karras = IsOn("use_karras_sigmas") };
    }

    private static string DefaultSpacing(string type) => type is "DDIMScheduler" or "DDPMScheduler" ? "leading" : "linspace";

    private string? FindUnsupported(string type)
    {
        foreach (JsonProperty option in _configuration.EnumerateObject())
            if (!IsSupported(option)) return $"{Shorten(option.Name)} is {Shorten(option.Value.GetRawText())}, which is not supported";
        bool isLeading = Choice.Schedule.Spacing == TimestepSpacing.Leading && !Choice.Schedule.Karras;
        if (isLeading && Number("steps_offset") != 1) return "steps_offset is not 1 with leading spacing";
        bool clips = type is "DDIMScheduler" or "DDPMScheduler" && !_configuration.TryGetProperty("clip_sample", out _);
        if (clips) return "clip_sample is on by default";
        bool endsAtOne = !_configuration.TryGetProperty("set_alpha_to_one", out JsonElement one) || one.ValueKind == JsonValueKind.True;
        if (type == "DDIMScheduler" && endsAtOne) return "set_alpha_to_one is on";
        if (IsConsistency(type) && !endsAtOne) return "set_alpha_to_one is off";
        bool isPart = IsOn("use_exponential_sigmas") || IsOn("use_beta_sigmas");
        bool isWhole = Choice.IsMultistep || Value("timestep_spacing", DefaultSpacing(type)) == "linspace";
        return isPart && !isWhole ? "the noise levels lie between those of a spacing" : null;
    }

    private static bool IsSupported(JsonProperty option) => option.Name switch
    {
        "timestep_spacing" => option.Value.ValueKind == JsonValueKind.String
            && option.Value.GetString() is "leading" or "trailing" or "linspace",
        "prediction_type" => option.Value.ValueKind == JsonValueKind.String && option.Value.GetString() is "epsilon" or "v_prediction",
        "algorithm_type" => option.Value.ValueKind == JsonValueKind.String
            && option.Value.GetString() is "dpmsolver++" or "sde-dpmsolver++",
        "solver_type" => option.Value.ValueKind == JsonValueKind.String
            && option.Value.GetString() is "midpoint" or "heun" or "bh1" or "bh2",
        "steps_offset" => option.Value.ValueKind == JsonValueKind.Number,
        "use_karras_sigmas" or "use_exponential_sigmas" or "use_beta_sigmas" or "set_alpha_to_one" or "lower_order_final"
            => option.Value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => Fixed.TryGetValue(option.Name, out object? expected) && Equals(expected, Plain(option.Value)),
    };

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private bool IsOn(string name) =>
        Unsupported is null && _configuration.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private double Number(string name) =>
        _configuration.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;

    private string Value(string name, string standard) => Unsupported is null ? Text(_configuration, name) ?? standard : standard;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Shorten(string text) => text.Length <= 40 ? text : $"{text[..40]}…";
}
