using System.CommandLine;
using System.Globalization;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse replay</c>: paints a picture again from what its file says, or with changes.</summary>
internal static class ReplayCommand
{
    /// <summary>The end of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse replay night.png --seed 8 --out night-8.png",
        "",
        "Settings that are not given stay as the picture's file has them: from muse's own record, else from the text of the program",
        "that made the picture (AUTOMATIC1111, Forge, ComfyUI, SwarmUI, Fooocus, InvokeAI and others; docs/records.md lists them).",
        "What cannot be taken over from there, and what it does not name, is said on stderr. A text without a seed has one drawn; one",
        "without a size is painted in the picture's own. A picture that was denoised together with others is painted again as one of",
        "as many, unless --batch says otherwise: that takes their time too, and gives the same bytes. It is decoded in the tiles and",
        "the precision that it was decoded in, unless --vae, a budget or another size asks for something else; on a processor it is",
        "painted with as many threads, unless --threads says otherwise. The model is not looked for: name it with --model where it is",
        "not the default.",
    ];

    public static Command Create(Terminal terminal)
    {
        var picture = new Argument<string>("PICTURE") { Description = $"The picture: {PictureFormats.Known}." };
        var prompt = new Option<string?>("--prompt") { Description = "Another prompt.", HelpName = "PROMPT" };
        var command = new Command("replay", "Paints a picture again from its file, or with changed settings.") { picture, prompt };
        var request = new RequestChoices();
        request.AddTo(command);
        var painting = new Painting(terminal, command);
        command.SetAction((result, stop) =>
        {
            PictureFileContent content = PictureFile.Read(result.GetRequiredValue(picture));
            foreach (string notice in content.Notices) terminal.WriteNotice("notice", $"{content.Path}: {notice}");
            (PictureRequest basis, PictureRecord? record, Action<Atelier> opened) = content.RecordJson is null
                ? FromText(terminal, content, request.HasSeed(result))
                : FromRecord(terminal, content.ReadRecord());
            if (result.GetValue(prompt) is { } other) basis = basis with { Prompt = other };
            return painting.RunAsync(result, request.Read(result, basis), record, opened, stop);
        });
        return command;
    }

    private static (PictureRequest Request, PictureRecord? Record, Action<Atelier> Opened) FromRecord(Terminal terminal,
        PictureRecord record) => (record.Request, record, atelier =>
    {
        ModelInfo model = atelier.Model;
        if (model.Sha256 != record.Model.Sha256) terminal.WriteNotice("notice", $"the picture was painted with {record.Model.Name} ({record.Model.Sha256}); this is {model.Name} ({model.Sha256})");
        if (atelier.Device != record.Engine.Device)
            terminal.WriteNotice("notice",
                $"the picture was painted on {record.Engine.Device}; this is {atelier.Device}, whose last bits may be others");
    });

    private static (PictureRequest Request, PictureRecord? Record, Action<Atelier> Opened) FromText(Terminal terminal,
        PictureFileContent content, bool hasSeed)
    {
        ParsedParameters parsed = PictureTexts.Parse(content);
        terminal.WriteNotice("notice", $"from the text of {parsed.Program}");
        // Syntax in the prompt is a notice of the picture itself.
        foreach (string part in parsed.NotTaken) if (part != parsed.PromptSyntax) terminal.WriteNotice("notice", $"not taken over: {part}");
        foreach (string notice in parsed.Notices) terminal.WriteNotice("notice", notice);
        PictureRequest request = parsed.Request;
        if (!parsed.HasSeed && !hasSeed)
        {
            request = request with { Seed = RequestChoices.DrawSeed() };
            terminal.WriteNotice("notice",
                string.Create(CultureInfo.InvariantCulture, $"The text names no seed; {request.Seed} was drawn."));
        }

        return (request, null, atelier =>
        {
            ModelInfo model = atelier.Model;
            if (IsSame(parsed, model)) return;
            string then = $"{parsed.ModelName ?? "a model"} ({parsed.ModelHash ?? "digest unknown"})";
            terminal.WriteNotice("notice", $"the picture was painted with {then}; this is {model.Name} ({Short(model.Sha256)})");
        });
    }

    // By the digest where the text has one of this form: older programs wrote eight digits of another.
    private static bool IsSame(ParsedParameters parsed, ModelInfo model)
    {
        if (parsed.ModelHash is { Length: >= ParametersText.ShortDigest } hash)
            return model.Sha256.StartsWith(hash, StringComparison.OrdinalIgnoreCase);
        return parsed.ModelName is null || parsed.ModelName.Equals(model.Name, StringComparison.OrdinalIgnoreCase);
    }

    private static string Short(string sha256) => sha256.Length <= ParametersText.ShortDigest ? sha256
        : sha256[..ParametersText.ShortDigest];
}
