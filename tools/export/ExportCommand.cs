using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Runtime.InteropServices;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tools.Export;

/// <summary>The command line of muse-export: arguments, output and exit codes.</summary>
internal static class ExportCommand
{
    private const int Done = 0, Failed = 1, BadUsage = 2, Cancelled = 130;

    public static async Task<int> RunAsync(string[] args)
    {
        Argument<string> checkpoint = CheckpointArgument();
        Option<string?> folder = FolderOption();
        var lowering = new Option<string>("--lowering")
        {
            Description = "What the package is for: portable (any processor) or cuda (an NVIDIA card).",
            HelpName = "portable|cuda",
            DefaultValueFactory = _ => "portable",
        };
        lowering.AcceptOnlyFromAmong("portable", "cuda");
        Option<Precision?> text = PrecisionOf("--text", "the text encoders", "fp32");
        Option<Precision?> unet = PrecisionOf("--unet", "the UNet", "fp16 for cuda, else fp32");
        Option<Precision?> vae = PrecisionOf("--vae", "the VAE", "fp16 for cuda, else fp32");
        Option<string[]> lora = LoraExport.Option();
        var root = new RootCommand(
            "Turns an SDXL checkpoint into a package of ONNX graphs and weights.\n\n"
            + "Exit codes: 0 done, 1 failed (one line on stderr says why), 2 bad usage, 130 cancelled.")
        {
            checkpoint,
            folder,
            lowering,
            text,
            unet,
            vae,
            lora,
            RandomCommand.Create(Guarded),
        };
        root.SetAction((result, _) =>
        {
            Lowering target = result.GetRequiredValue(lowering) == "cuda" ? Lowering.Cuda : Lowering.Portable;
            Precisions own = Precisions.Of(target);
            var options = new ExportOptions
            {
                Lowering = target,
                Precisions = new Precisions(
                    result.GetValue(text) ?? own.TextEncoders, result.GetValue(unet) ?? own.UNet, result.GetValue(vae) ?? own.Vae),
            };
            string source = result.GetRequiredValue(checkpoint);
            if (result.GetValue(lora) is { Length: > 0 } loras)
                return Guarded(cancellation => LoraExport.RunAsync(source, loras, result.GetValue(folder), cancellation));
            return ExportAsync(source, result.GetValue(folder) ?? DefaultFolder(source, options), options);
        });

        ParseResult parsed = root.Parse(args);
        // The help must not be printed here, because it would hide the line with the error.
        if (parsed.Action is ParseErrorAction)
        {
            string errors = string.Join("; ", parsed.Errors.Select(error => error.Message.TrimEnd('.')));
            return Fail($"{errors}. muse-export --help lists what it takes.", BadUsage);
        }

        // The library's own signal handling must be off, because it ends the process after two seconds, which is too soon to clean up.
        return await parsed.InvokeAsync(
            new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }

    internal static string DefaultFolder(string checkpoint, ExportOptions options)
    {
        string precisions = options.Precisions is { } chosen && chosen != Precisions.Of(options.Lowering) ? $"-{chosen.Code()}" : "";
        string lowering = options.Lowering == Lowering.Cuda ? "cuda" : "portable";
        return Path.Combine("export", $"{ModelFolder.NameOf(checkpoint)}-{lowering}{precisions}");
    }

    private static Argument<string> CheckpointArgument() => new("CHECKPOINT")
    {
        Description = "The SDXL checkpoint: a .safetensors file, or the folder of a model in several. "
            + "With --lora, the folder of its package.",
    };

    private static Option<string?> FolderOption() => new("--out")
    {
        Description = "Where the package goes. [default: export/<checkpoint name>-<lowering>, and the arithmetic where it is not the "
            + "lowering's own]",
        HelpName = "FOLDER",
    };

    private static Option<Precision?> PrecisionOf(string name, string part, string own)
    {
        var option = new Option<Precision?>(name)
        {
            Description = $"Arithmetic of {part}: fp16 or fp32. [default: {own}]",
            HelpName = "fp16|fp32",
            CustomParser = result => Enum.TryParse(result.Tokens[0].Value, ignoreCase: true, out Precision precision) ? precision : null,
        };
        option.AcceptOnlyFromAmong("fp16", "fp32");
        return option;
    }

    private static Task<int> ExportAsync(string checkpoint, string folder, ExportOptions options) => Guarded(async cancellation =>
    {
        using var memory = new MemoryWatch();
        ExportResult result = await ExportDisplay.RunAsync(
            progress => CheckpointExporter.Export(checkpoint, folder, options, progress, cancellation));
        double seconds = result.Elapsed.TotalSeconds;
        double megabytes = result.Bytes / 1e6;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Folder}: {megabytes:N1} MB in {seconds:F1} s ({megabytes / Math.Max(seconds, 1e-3):N0} MB/s)"));
        Console.WriteLine(memory.Describe());
        return Done;
    });

    // Every failure ends in one line, and a signal ends in an orderly cancellation.
    private static async Task<int> Guarded(Func<CancellationToken, Task<int>> write)
    {
        using var cancellation = new CancellationTokenSource();
        void Cancel(PosixSignalContext context)
        {
            // The first signal cancels the work. A second one has its default effect.
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        // SIGHUP comes from a closed terminal, and SIGQUIT from Ctrl+\ or Ctrl+Break. Partial files must not remain after these either.
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Cancel);
        using PosixSignalRegistration quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Cancel);
        try
        {
            return await write(cancellation.Token);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Fail("cancelled", Cancelled);
        }
        catch (Exception exception) when (exception is MuseAtelierException or IOException or UnauthorizedAccessException)
        {
            return Fail(exception.Message, Failed);
        }
    }

    private static int Fail(string message, int code)
    {
        try
        {
            Console.Error.WriteLine($"error: {string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}");
        }
        catch (IOException)
        {
            // The terminal is closed. The exit code reports the failure.
        }

        return code;
    }
}
