using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse verify</c>: whether a picture's record paints what the file shows.</summary>
internal static class VerifyCommand
{
    /// <summary>The end of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Paints the picture again from the record in its file and says one of: same bytes; same latents, same pixels, other encoder",
        "(another version or another program wrote the file); same latents, other encoder (or decoded otherwise); same latents, other",
        "picture (the file was changed after painting); parts at step N; another model. All that begin with 'same' but 'other picture'",
        "end with 0, the others with 1. Paints on the kind of device and with the number of threads that the record names, unless",
        "--device or --threads say otherwise: with others, last bits differ. A record holds digests of each step's latents, not the",
        "latents: where runs part, the largest difference is that of the finished pictures.",
    ];

    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("PICTURE") { Description = $"The picture: {PictureFormats.Known}, written with --metadata full." };
        Option<string?> model = AtelierChoices.Model();
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("verify", "Paints a picture again from its record and says whether it is the same.") { path, model, json };
        var choices = new AtelierChoices(command, isDecodingChosen: false);
        command.SetAction(async (result, stop) =>
        {
            string picture = result.GetRequiredValue(path);
            // A picture that cannot be verified is refused before a model is opened.
            PictureRecord record = PictureFile.Read(picture).ReadRecord();
            PictureRequestException.ThrowIfUnpaintable(record.Request);
            PictureVerification verification;
            await using (RenderDisplay display = RenderDisplay.Start(terminal, 1))
            {
                string checkpoint = result.GetValue(model) ?? DefaultModel.Find();
                AtelierOptions options = choices.ReadAsRecorded(result, record);
                AtelierChoices.RequireBudget(checkpoint, options, record.Request);
                await using Atelier atelier = await Atelier.OpenAsync(checkpoint, options, display, stop);
                verification = await PictureVerifier.VerifyAsync(atelier, picture, display, stop);
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

    private static string Verdict(PictureVerification verification) => verification.Outcome switch
    {
        VerificationOutcome.SameBytes => "same bytes",
        VerificationOutcome.SameLatents =>
            $"same latents, {(verification.SamePixels ? "same pixels, " : "")}other encoder ({Difference(verification)})",
        VerificationOutcome.OtherPicture => $"same latents, other picture: the file was changed after painting ({Difference(verification)})",
        VerificationOutcome.Parted => $"parts at {Step(verification)}, in the {(verification.NoiseParts ? "noise" : "latents")} ({Difference(verification)})",
        _ => "another model",
    };

    private static string Step(PictureVerification verification) =>
        verification.PartsAtStep is > 0 and var step ? string.Create(CultureInfo.InvariantCulture, $"step {step} of {verification.Record.Request.Steps}") : "the start";

    private static string Difference(PictureVerification verification) => verification.LargestDifference switch
    {
        null => "the sizes differ",
        0 => "every pixel of the pictures is the same",
        var largest => string.Create(CultureInfo.InvariantCulture, $"largest difference of the pictures {largest} of 255, PSNR {verification.Psnr:0.0} dB"),
    };

    private static JsonObject Describe(string path, PictureVerification verification) => new()
    {
        ["file"] = Path.GetFullPath(path),
        ["outcome"] = verification.Outcome.ToString(),
        ["holds"] = verification.Holds,
        ["samePixels"] = verification.SamePixels,
        ["partsAtStep"] = verification.PartsAtStep,
        ["noiseParts"] = verification.PartsAtStep is null ? null : verification.NoiseParts,
        ["largestDifference"] = verification.LargestDifference,
        ["psnr"] = Json.Number(verification.Psnr),
        ["changes"] = new JsonArray([.. verification.Changes.Select(change => JsonValue.Create(change))]),
        ["notices"] = new JsonArray([.. verification.Notices.Select(notice => JsonValue.Create(notice))]),
    };
}
