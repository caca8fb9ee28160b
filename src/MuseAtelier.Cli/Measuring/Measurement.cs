using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MuseAtelier.Cuda;

namespace MuseAtelier.Cli.Measuring;

/// <summary>What <c>muse bench</c> measured; seconds, milliseconds and bytes, as the names say.</summary>
internal sealed record Measurement
{
    /// <summary>When it was measured, UTC.</summary>
    public required DateTime Date { get; init; }

    public required MeasuredMachine Machine { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Parameters of the model.</summary>
    public required long Parameters { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required int Steps { get; init; }

    public required float GuidanceScale { get; init; }

    /// <summary>Pictures that were denoised together; times are one picture's share, but for those of steps.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Passes that were measured, the first not counted: as many pictures, where each was painted by itself.</summary>
    public required int Pictures { get; init; }

    /// <summary>From the process's start to the model being open.</summary>
    public required double OpenSeconds { get; init; }

    /// <summary>From the process's start to the first picture's bytes.</summary>
    public required double FirstPictureAtSeconds { get; init; }

    /// <summary>From the process's start to the first picture's file.</summary>
    public required double FirstFileAtSeconds { get; init; }

    /// <summary>The first picture, which also loads and settles.</summary>
    public required double FirstSeconds { get; init; }

    /// <summary>Median of the pictures after the first, each with a prompt of its own; without the file.</summary>
    public required double PictureSeconds { get; init; }

    public required double LeastSeconds { get; init; }

    public required double MostSeconds { get; init; }

    /// <summary>The same with a prompt that was encoded before.</summary>
    public required double KnownPromptSeconds { get; init; }

    /// <summary>Median of tokens, text encoders and what follows once from them.</summary>
    public required double TextSeconds { get; init; }

    /// <summary>Median of all steps together.</summary>
    public required double DenoisingSeconds { get; init; }

    /// <summary>Median of decoding to bytes.</summary>
    public required double DecodingSeconds { get; init; }

    /// <summary>The frame's style and place; null where there is none.</summary>
    public required string? Frame { get; init; }

    /// <summary>Of the decoding, median: from decoded numbers to bytes on the host, with the frame.</summary>
    public required double FinishingMilliseconds { get; init; }

    /// <summary>What of that is the frame's: the median less that of the same pictures without one; null where there is none.</summary>
    public required double? FrameMilliseconds { get; init; }

    /// <summary>Median of writing a PNG.</summary>
    public required double FileSeconds { get; init; }

    public required double StepMedianMilliseconds { get; init; }

    public required double StepP99Milliseconds { get; init; }

    public required double StepMostMilliseconds { get; init; }

    /// <summary>Each step of the last picture.</summary>
    public required IReadOnlyList<double> StepMilliseconds { get; init; }

    /// <summary>Managed bytes that the steps allocated, per step.</summary>
    public required double ManagedBytesPerStep { get; init; }

    /// <summary>The budget that was given; null where none was.</summary>
    public required long? BudgetBytes { get; init; }

    /// <summary>The plan's own sum.</summary>
    public required long PlannedBytes { get; init; }

    /// <summary>What the weights' places amount to.</summary>
    public required OffloadMode Offload { get; init; }

    /// <summary>The most that the process held on the device, as the driver counts it, sampled every 5 ms; null where it does not tell.</summary>
    public required long? PeakDeviceBytes { get; init; }

    /// <summary>The most that runs had in use of the arena that all sessions share but those that decode, by its own count; null where there is none that counts.</summary>
    public required long? ArenaUsedBytes { get; init; }

    /// <summary>The most that this arena held, in use or not, sampled every 5 ms; null where there is none that counts.</summary>
    public required long? ArenaHeldBytes { get; init; }

    /// <summary>What each phase was to take and took, the most of all pictures.</summary>
    public required IReadOnlyList<PhaseMemory> Phases { get; init; }

    /// <summary>The most memory of its own that the process held on the host.</summary>
    public required long PeakHostBytes { get; init; }
}

/// <summary>Where something was measured.</summary>
/// <param name="Device">What painted.</param>
/// <param name="Processor">The processor's cores.</param>
/// <param name="System">The operating system.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="OnnxRuntime">Version of ONNX Runtime.</param>
/// <param name="Muse">Version of MuseAtelier.</param>
internal sealed record MeasuredMachine(string Device, int Processor, string System, string Runtime, string OnnxRuntime, string Muse)
{
    /// <summary>Versions of the card's driver and of NVIDIA's libraries; null where a processor painted.</summary>
    public string? CardLibraries { get; init; }

    /// <summary>This machine.</summary>
    /// <param name="device">What painted, in words.</param>
    /// <param name="onnxRuntime">Version of ONNX Runtime.</param>
    /// <param name="backend">What it was painted by.</param>
    public static MeasuredMachine Of(string device, string onnxRuntime, Backend backend) => new(
        device,
        Environment.ProcessorCount,
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        onnxRuntime,
        typeof(Atelier).Assembly.GetName().Version?.ToString(3) ?? "") { CardLibraries = backend is CudaBackend ? Versions(CudaDiagnosis.Run()) : null };

    /// <summary>The same as JSON.</summary>
    public JsonObject Describe() => new()
    {
        ["device"] = Device,
        ["processor"] = Processor,
        ["system"] = System,
        ["runtime"] = Runtime,
        ["onnxRuntime"] = OnnxRuntime,
        ["muse"] = Muse,
        ["cardLibraries"] = CardLibraries,
    };

    /// <summary>What a card paints by, in a line.</summary>
    internal static string Versions(CudaDiagnosis diagnosis) =>
        string.Join(", ", diagnosis.Parts.Where(part => part.Version is not null && part != diagnosis.Driver).Select(part => $"{part.Name} {part.Version}").Prepend($"driver {diagnosis.DriverRelease ?? "unknown"}"));

    /// <summary>Seconds since this process began.</summary>
    public static double SecondsSinceStart()
    {
        using var process = Process.GetCurrentProcess();
        return (DateTime.UtcNow - process.StartTime.ToUniversalTime()).TotalSeconds;
    }
}
