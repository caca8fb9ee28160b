using System.CommandLine;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Display;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse verify</c>: paints a picture again from its record and compares it with the file.</summary>
internal static class VerifyCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Paints the picture again from the record in its file and prints one verdict:",
        "  same bytes                                 the file is what painting again gives",
        "  same latents, same pixels, other encoder   another version or another program wrote the file",
        "  same latents, other encoder                the file was encoded or decoded in another way",
        "  same latents, other picture                the file was changed after painting",
        "  diverges at step N                         the latents or the noise differ from step N on",
        "  another model                              the record names another checkpoint; nothing was painted",
        "The first three end with exit code 0, the others with 1. Paints on the kind of device and with the number of threads that the",
        "record names, unless --device or --threads says otherwise; with others, the last bits differ. The record has digests of each",
        "step's latents, not the latents: if they diverge, the largest difference is that of the finished pictures. It has digests of the",
        "pictures that this one was painted from, too: name their files with --from and --mask, an upscaler's with --hires-upscaler, and",
        "those of LoRAs with --lora or --lora-folder; strengths are the record's. Embeddings are found in --embedding-folder.",
    ];

    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("PICTURE") { Description = $"The picture: {PictureFormats.Known}, written with --metadata full." };
        Option<string?> model = AtelierChoices.Model();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("verify", "Paints a picture again from its record and compares the two.") { path, model, json };
        var files = new RecordedFileChoices(command);
        var choices = new AtelierChoices(command, isDecodingChosen: false);
        command.SetAction(async (result, stop) =>
        {
            string picture = result.GetRequiredValue(path);
            // The record is checked before a model is opened, because opening takes long.
            PictureRecord record = PictureFile.Read(picture).ReadRecord();
            RequestSources sources = await files.ReadAsync(result, record.Request, terminal, stop);
            PictureRequest request = await Task.Run(() => sources.ApplyTo(record.Request), stop);
            PictureRequestException.ThrowIfUnpaintable(request);
            PictureVerification verification;
            await using (RenderDisplay display = RenderDisplay.Start(terminal, 1))
            {
                string checkpoint = result.GetValue(model) ?? DefaultModel.Find();
                AtelierOptions options =
                    choices.ReadAsRecorded(result, record) with { EmbeddingFolders = files.EmbeddingFolders(result) };
                AtelierChoices.RequireBudget(checkpoint, options, request);
                await using Atelier atelier = await Atelier.OpenAsync(checkpoint, options, display, stop);
                verification = await PictureVerifier.VerifyWithSourcesAsync(atelier, picture, sources, display, stop);
            }

            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(picture, verification).ToJsonString(Json.Readable));
            else Show(terminal, picture, verification);
            return verification.Holds ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static void Show(Terminal terminal, string path, PictureVerification verification)
    {
        terminal.Out.WriteLine($"{path}: {Verdict(verification)}");
        foreach (string change in verification.Changes) terminal.Out.WriteLine($"  {Terminal.OneLine(change)}");
        foreach (string notice in verification.Notices) terminal.WriteNotice("notice", notice);
    }

    private static string Verdict(PictureVerification verification)
    {
        string difference = Difference(verification);
        return verification.Outcome switch
        {
            VerificationOutcome.SameBytes => "same bytes",
            VerificationOutcome.SameLatents when verification.SamePixels =>
                $"same latents, same pixels, other encoder ({difference})",
            VerificationOutcome.SameLatents => $"same latents, other encoder ({difference})",
            VerificationOutcome.OtherPicture => $"same latents, other picture: the file was changed after painting ({difference})",
            VerificationOutcome.Diverged => $"diverges at {Step(verification)}, in the {Part(verification)} ({difference})",
            _ => "another model",
        };
    }

    private static string Part(PictureVerification verification) => verification.NoiseDiverges ? "noise" : "latents";

    private static string Step(PictureVerification verification)
    {
        if (verification.DivergesAtStep is not (> 0 and var step)) return "the start";
        int steps = verification.Record.Hashes.Latents.Count - 1;
        PictureRequest request = verification.Record.Request;
        // The digests of a second pass follow those of the first one, and begin with its start.
        int? first = request.Hires is null ? null : SamplerCatalog.BuiltIn.EvaluationsOf(HiresRules.FirstPassOf(request));
        if (first is not { } last || step <= last) return Invariant($"step {step} of {first ?? steps}");
        int second = step - last - 1;
        return second == 0 ? "the start of the second pass" : Invariant($"step {second} of {steps - last - 1} of the second pass");
    }

    private static string Difference(PictureVerification verification) => verification.LargestDifference switch
    {
        null => "the sizes differ",
        0 => "every pixel of the pictures is the same",
        var largest => Invariant($"largest difference of the pictures {largest} of 255, PSNR {verification.Psnr:0.0} dB"),
    };

    private static JsonObject Describe(string path, PictureVerification verification) => new()
    {
        ["file"] = Path.GetFullPath(path),
        ["outcome"] = verification.Outcome.ToString(),
        ["holds"] = verification.Holds,
        ["samePixels"] = verification.SamePixels,
        ["divergesAtStep"] = verification.DivergesAtStep,
        ["noiseDiverges"] = verification.DivergesAtStep is null ? null : verification.NoiseDiverges,
        ["largestDifference"] = verification.LargestDifference,
        ["psnr"] = Json.Number(verification.Psnr),
        ["changes"] = new JsonArray([.. verification.Changes.Select(change => JsonValue.Create(change))]),
        ["notices"] = new JsonArray([.. verification.Notices.Select(notice => JsonValue.Create(notice))]),
    };
}
