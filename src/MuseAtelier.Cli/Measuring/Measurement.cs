using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MuseAtelier.Cuda;

namespace MuseAtelier.Cli.Measuring;

/// <summary>The results of <c>muse bench</c>, in seconds, milliseconds and bytes as the names say.</summary>
internal sealed record Measurement
{
    /// <summary>Time of the measurement, UTC.</summary>
    public required DateTime Date { get; init; }

    /// <summary>The machine that was measured.</summary>
    public required MeasuredMachine Machine { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Parameters of the model.</summary>
    public required long Parameters { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required int Steps { get; init; }

    /// <summary>The id of the sampler.</summary>
    public required string Sampler { get; init; }

    public required float GuidanceScale { get; init; }

    /// <summary>Pictures that were denoised together. All times except those of steps are one picture's share.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Number of measured batches without the first; with a batch size of 1, the number of measured pictures.</summary>
    public required int Pictures { get; init; }

    /// <summary>Time from the process's start until the model is open.</summary>
    public required double OpenSeconds { get; init; }

    /// <summary>Time from the process's start until the first picture's bytes exist.</summary>
    public required double FirstPictureAtSeconds { get; init; }

    /// <summary>Time from the process's start until the first picture's file exists.</summary>
    public required double FirstFileAtSeconds { get; init; }

    /// <summary>Time of the first picture, which includes loading and the runtime's first runs.</summary>
    public required double FirstSeconds { get; init; }

    /// <summary>Median of the pictures after the first, each with a prompt of its own, without writing the file.</summary>
    public required double PictureSeconds { get; init; }

    /// <summary>The shortest of these times.</summary>
    public required double LeastSeconds { get; init; }

    /// <summary>The longest of these times.</summary>
    public required double MostSeconds { get; init; }

    /// <summary>Time of a picture whose prompt was encoded before.</summary>
    public required double KnownPromptSeconds { get; init; }

    /// <summary>Median time of tokenizing, the text encoders and the tensors that are computed once from their output.</summary>
    public required double TextSeconds { get; init; }

    /// <summary>Median time of encoding an existing picture, and of what a second pass encodes; 0 if nothing is encoded.</summary>
    public required double EncodingSeconds { get; init; }

    /// <summary>Median time of all steps together.</summary>
    public required double DenoisingSeconds { get; init; }

    /// <summary>Median time of decoding to bytes.</summary>
    public required double DecodingSeconds { get; init; }

    /// <summary>Median time between the passes: of decoding the first one, if it is decoded, and of enlarging it; 0 with one pass.</summary>
    public required double EnlargingSeconds { get; init; }

    /// <summary>The frame's style and placement; null without a frame.</summary>
    public required string? Frame { get; init; }

    /// <summary>Median time of post-processing, a part of decoding: from decoded numbers to bytes on the host, with the frame.</summary>
    // Measured results that are kept have this name.
    [JsonPropertyName("finishingMilliseconds")]
    public required double PostProcessingMilliseconds { get; init; }

    /// <summary>
    /// The frame's part of post-processing: the median less that of the same pictures without a frame; null without a frame.
    /// </summary>
    public required double? FrameMilliseconds { get; init; }

    /// <summary>Median time of writing a PNG file.</summary>
    public required double FileSeconds { get; init; }

    public required double StepMedianMilliseconds { get; init; }

    public required double StepP99Milliseconds { get; init; }

    public required double StepMostMilliseconds { get; init; }

    /// <summary>Times of each step of the last picture.</summary>
    public required IReadOnlyList<double> StepMilliseconds { get; init; }

    /// <summary>Managed bytes that the steps allocated, per step.</summary>
    public required double ManagedBytesPerStep { get; init; }

    /// <summary>The given budget; null if none was given.</summary>
    public required long? BudgetBytes { get; init; }

    /// <summary>The memory of the plan.</summary>
    public required long PlannedBytes { get; init; }

    /// <summary>The plan's offload mode.</summary>
    public required OffloadMode Offload { get; init; }

    /// <summary>
    /// Peak bytes of the process on the device, as the driver counts them, sampled every 5 ms; null if the driver does not report them.
    /// </summary>
    public required long? PeakDeviceBytes { get; init; }

    /// <summary>
    /// Peak bytes in use in the shared arena, as the arena counts them. VAE sessions use their own arenas and are not included. Null if
    /// unavailable.
    /// </summary>
    public required long? ArenaUsedBytes { get; init; }

    /// <summary>Peak bytes that this arena held, in use or not, sampled every 5 ms; null if unavailable.</summary>
    public required long? ArenaHeldBytes { get; init; }

    /// <summary>Planned and used memory of each phase, the largest of all pictures.</summary>
    public required IReadOnlyList<PhaseMemory> Phases { get; init; }

    /// <summary>Peak bytes of the process's working set on the host.</summary>
    public required long PeakHostBytes { get; init; }
}

/// <summary>The machine of a measurement.</summary>
/// <param name="Device">The device that painted, in words.</param>
/// <param name="Processor">Number of the processor's cores.</param>
/// <param name="System">The operating system.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="OnnxRuntime">Version of ONNX Runtime.</param>
/// <param name="Muse">Version of MuseAtelier.</param>
internal sealed record MeasuredMachine(string Device, int Processor, string System, string Runtime, string OnnxRuntime, string Muse)
{
    /// <summary>Versions of the card's driver and of NVIDIA's libraries; null if a processor painted.</summary>
    public string? CardLibraries { get; init; }

    /// <summary>This machine.</summary>
    /// <param name="device">The device that painted, in words.</param>
    /// <param name="onnxRuntime">Version of ONNX Runtime.</param>
    /// <param name="backend">The backend that painted.</param>
    public static MeasuredMachine Of(string device, string onnxRuntime, Backend backend) => new(
        device,
        Environment.ProcessorCount,
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        onnxRuntime,
        typeof(Atelier).Assembly.GetName().Version?.ToString(3) ?? "")
    {
        CardLibraries = backend is CudaBackend ? Versions(CudaDiagnosis.Run()) : null,
    };

    /// <summary>The machine as JSON.</summary>
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

    /// <summary>The versions of a card's driver and libraries in one line.</summary>
    internal static string Versions(CudaDiagnosis diagnosis)
    {
        IEnumerable<string> libraries = diagnosis.Parts
            .Where(part => part.Version is not null && part != diagnosis.Driver)
            .Select(part => $"{part.Name} {part.Version}");
        return string.Join(", ", libraries.Prepend($"driver {diagnosis.DriverRelease ?? "unknown"}"));
    }

    /// <summary>Seconds since this process began.</summary>
    public static double SecondsSinceStart()
    {
        using var process = Process.GetCurrentProcess();
        return (DateTime.UtcNow - process.StartTime.ToUniversalTime()).TotalSeconds;
    }
}
