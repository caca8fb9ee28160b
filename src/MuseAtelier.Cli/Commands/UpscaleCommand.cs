using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Display;
using MuseAtelier.Imaging;
using MuseAtelier.Pictures;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse upscale</c>: enlarges pictures with an upscaler.</summary>
internal static class UpscaleCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse upscale night.png --model RealESRGAN_x4plus.pth",
        "",
        "Reads upscalers of the ESRGAN family: RRDB (ESRGAN, Real-ESRGAN) and Real-ESRGAN's compact network, from .safetensors and .pth;",
        "of a .pth file only tensors are read, and nothing of it is executed. Without --out, NAME-upscaled.png is written beside the",
        "picture. The picture's settings in AUTOMATIC1111's notation are kept; its record is not, because painting again gives the",
        "picture before it was enlarged.",
    ];

    private const int Channels = 3;
    private const string Suffix = "-upscaled.png";

    public static Command Create(Terminal terminal)
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = $"The pictures: {PictureFormats.Known}.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> model = UserPath.Option("--model", "-m");
        model.Description = "The upscaler: a .safetensors or .pth file, or the folder of its exported package.";
        model.HelpName = "PATH";
        model.Required = true;
        Option<string?> output = UserPath.Option("--out", "-o");
        output.Description = $"The file ({PictureFormats.Known}), or a folder. [default: NAME{Suffix} beside the picture]";
        output.HelpName = "FILE|FOLDER";
        var scale = new Option<double>("--scale")
        {
            Description = "The factor of width and height, up to the upscaler's own; the result is reduced by Lanczos resampling. "
                + "[default: the upscaler's own]",
            HelpName = "NUMBER",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is > 0 and <= 8)
                    return value;
                result.AddError($"--scale is '{text}'; expected a number above 0 and up to 8");
                return 0;
            },
        };
        var force = new Option<bool>("--force") { Description = "Replace an existing file." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object per picture on stdout, one a line." };
        var command = new Command("upscale", "Enlarges pictures with an upscaler of the ESRGAN family.")
            { files, model, output, scale, force, json };
        var choices = new AtelierChoices(command, isDecodingChosen: false, isVaeChosen: false);
        command.Validators.Add(result =>
        {
            bool isMany = result.GetValue(files) is { Length: > 1 };
            if (isMany && result.GetValue(output) is { } one && !OutputPath.IsFolder(one))
                result.AddError("with several pictures, --out must be a folder");
        });
        command.SetAction(async (result, stop) =>
        {
            var run = new UpscaleRun(terminal)
            {
                Options = new PictureFileOptions { Overwrite = result.GetValue(force), UnderFreeName = true },
                Scale = result.GetResult(scale) is null ? null : result.GetValue(scale),
                IsJson = result.GetValue(json),
            };
            List<(string Source, string Target)> pairs = Targets(result.GetRequiredValue(files), result.GetValue(output), run.Options);
            await run.RunAsync(result.GetValue(model)!, pairs, choices.Read(result), stop);
            return ExitCode.Done;
        });
        return command;
    }

    // Everything that needs no model is checked before the model is opened.
    private static List<(string Source, string Target)> Targets(string[] files, string? output, PictureFileOptions options)
    {
        List<string> targets = [];
        foreach (string file in files)
        {
            _ = PictureFile.Read(file);
            string folder = output ?? Path.GetDirectoryName(file) ?? "";
            string target = output is not null && !OutputPath.IsFolder(output)
                ? output
                : OutputPath.Free(Path.Combine(folder, Path.GetFileNameWithoutExtension(file) + Suffix), targets);
            PictureFile.RequireWritable(target, options);
            targets.Add(target);
        }

        return [.. files.Zip(targets)];
    }

    private sealed class UpscaleRun(Terminal terminal)
    {
        public required PictureFileOptions Options { get; init; }

        public required double? Scale { get; init; }

        public required bool IsJson { get; init; }

        public async Task RunAsync(
            string model, List<(string Source, string Target)> pairs, AtelierOptions options, CancellationToken stop)
        {
            await using RenderDisplay display = RenderDisplay.Start(terminal, pairs.Count);
            await using Upscaler upscaler = await Upscaler.OpenAsync(model, options, display, stop);
            if (Scale > upscaler.Scale) throw new UpscaleFactorException(upscaler, Scale.Value);
            foreach ((string source, string target) in pairs)
            {
                display.Continue();
                long start = Stopwatch.GetTimestamp();
                PictureFileContent content = await PictureFile.ReadAsync(source, stop);
                SourceImage image = await SourceFile.LoadAsync(source, cancellationToken: stop);
                string phase = $"enlarging {Terminal.OneLine(Path.GetFileName(source))}";
                long begin = Stopwatch.GetTimestamp();
                var progress = new TileProgress(share => display.Report(phase, share, Stopwatch.GetElapsedTime(begin)));
                progress.Report(0);
                SourceImage enlarged = Reduced(await upscaler.UpscaleAsync(image, progress, stop), image);
                WrittenPicture written = PictureFile.WriteImage(enlarged, target, Options, Parameters(content, image, enlarged, upscaler));
                await display.PauseAsync();
                foreach (string notice in (string[])[.. content.Notices, .. Notices(content, image), .. written.Notices])
                    terminal.WriteNotice("notice", notice);
                Say(written.Path, enlarged, upscaler, Stopwatch.GetElapsedTime(start));
            }
        }

        private SourceImage Reduced(SourceImage enlarged, SourceImage source)
        {
            if (Scale is not { } factor) return enlarged;
            int width = Math.Max(1, (int)Math.Round(source.Width * factor)), height = Math.Max(1, (int)Math.Round(source.Height * factor));
            if ((width, height) == (enlarged.Width, enlarged.Height)) return enlarged;
            byte[] pixels = new byte[checked(width * height * Channels)];
            Resampler.Resize(
                enlarged.Pixels.Span, Channels, enlarged.Width, enlarged.Height, pixels, width, height, ResampleFilter.Lanczos);
            return new SourceImage(width, height, pixels);
        }

        // The fields that AUTOMATIC1111 adds when it enlarges a picture (scripts/postprocessing_upscale.py).
        private static string? Parameters(PictureFileContent content, SourceImage source, SourceImage enlarged, Upscaler upscaler)
        {
            if (content.Parameters is not { } text) return null;
            double factor = (double)enlarged.Width / source.Width;
            string name = new([.. upscaler.Name.Where(letter => !char.IsControl(letter) && letter is not (',' or ':' or '"'))]);
            return Invariant($"{text.TrimEnd()}, Postprocess upscale by: {factor:0.###}, Postprocess upscaler: {name}");
        }

        private static IEnumerable<string> Notices(PictureFileContent content, SourceImage image)
        {
            if (content.RecordJson is not null)
                yield return $"the record of {content.Path} is not kept: it describes the picture before it was enlarged";
            if (!image.Alpha.IsEmpty) yield return $"the opacity of {content.Path} is not kept: files are written without";
        }

        private void Say(string path, SourceImage enlarged, Upscaler upscaler, TimeSpan elapsed)
        {
            if (!IsJson)
            {
                terminal.Out.WriteLine(
                    Invariant($"{path}: {enlarged.Width}x{enlarged.Height} px, {elapsed.TotalSeconds:0.0} s, {upscaler.Name}"));
                return;
            }

            terminal.Out.WriteLine(new JsonObject
            {
                ["file"] = Path.GetFullPath(path),
                ["width"] = enlarged.Width,
                ["height"] = enlarged.Height,
                ["upscaler"] = new JsonObject
                {
                    ["name"] = upscaler.Name,
                    ["sha256"] = upscaler.Sha256,
                    ["architecture"] = upscaler.Architecture,
                    ["scale"] = upscaler.Scale,
                },
                ["device"] = upscaler.Device,
                ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
            }.ToJsonString(Json.Readable));
        }
    }

    private sealed class TileProgress(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}

/// <summary>A picture is to be enlarged more than the upscaler enlarges.</summary>
internal sealed class UpscaleFactorException(Upscaler upscaler, double factor)
    : MuseAtelierException(
        Invariant($"--scale is {factor}, but {upscaler.Name} enlarges {upscaler.Scale} times"),
        Invariant($"a factor up to {upscaler.Scale}"),
        "Give a smaller factor, or enlarge the result once more.");
