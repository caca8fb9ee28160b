using System.CommandLine;
using System.Globalization;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Tools.Export;

/// <summary><c>muse-export PACKAGE --lora FILE</c>: writes an overlay on a package, whose weights LoRAs have changed.</summary>
internal static class LoraExport
{
    /// <summary>The option that names the LoRAs.</summary>
    public static Option<string[]> Option() => new("--lora")
    {
        Description = "Instead of a package, write an overlay: the package CHECKPOINT, changed by this LoRA at this strength of the UNet's "
            + "changes and of the text encoders'. Repeatable. It lies beside the package. [default: strength 1]",
        HelpName = "FILE[:STRENGTH[:TEXT_STRENGTH]]",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>Writes the overlay and describes it on stdout, and what the LoRAs hold besides on stderr.</summary>
    /// <param name="package">Path of the package's folder.</param>
    /// <param name="loras">The LoRAs as the command line names them.</param>
    /// <param name="folder">Path of the overlay's folder; null for the package's name and those of the LoRAs.</param>
    /// <param name="cancellationToken">Cancels within one weight.</param>
    public static async Task<int> RunAsync(string package, string[] loras, string? folder, CancellationToken cancellationToken)
    {
        LoraArgument[] arguments = [.. loras.Select(LoraArgument.Parse)];
        List<LoraFile> files = [];
        try
        {
            foreach (LoraArgument argument in arguments) files.Add(LoraFile.Open(argument.Path));
            string basis = Path.TrimEndingDirectorySeparator(package);
            string names = string.Join('+', files.Select(file => file.Name));
            string place = folder ?? $"{basis}-{names}";
            string model = PackageManifest.Read(package).Checkpoint.Name;
            LoraUse[] uses = [.. arguments.Zip(files, UseOf)];
            (long bytes, IReadOnlyList<string> notices) =
                await Task.Run(() => LoraOverlay.Write(package, $"{model}+{names}", uses, place, cancellationToken), cancellationToken);
            foreach (string notice in notices) await Console.Error.WriteLineAsync($"notice: {notice}");
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{place}: {bytes / 1e6:N1} MB"));
            return 0;
        }
        finally
        {
            foreach (LoraFile file in files) file.Dispose();
        }
    }

    private static LoraUse UseOf(LoraArgument argument, LoraFile file)
    {
        float strength = argument.Strength ?? 1;
        return new LoraUse(file, strength, argument.TextStrength ?? strength);
    }
}
