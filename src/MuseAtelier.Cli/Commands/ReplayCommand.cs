using System.CommandLine;
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
        "Settings that are not given stay as the picture's file has them: from muse's own record, else from AUTOMATIC1111's text, which other programs",
        "write too. A picture that was denoised together with others is painted again as one of as many, unless --batch says otherwise: that takes their",
        "time too, and gives the same bytes. It is decoded in the tiles and the precision that it was decoded in, unless --vae, a budget or another size",
        "asks for something else. What cannot be taken over from there is said on stderr. The model is not looked for: name it with --model where it is not",
        "the default.",
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
            (PictureRequest basis, PictureRecord? record, Action<ModelInfo> opened) = content.RecordJson is null ? FromText(terminal, content) : FromRecord(terminal, content.ReadRecord());
            if (result.GetValue(prompt) is { } other) basis = basis with { Prompt = other };
            return painting.RunAsync(result, request.Read(result, basis), record, opened, stop);
        });
        return command;
    }

    private static (PictureRequest Request, PictureRecord? Record, Action<ModelInfo> Opened) FromRecord(Terminal terminal, PictureRecord record) => (record.Request, record, model =>
    {
        if (model.Sha256 != record.Model.Sha256) terminal.WriteNotice("notice", $"the picture was painted with {record.Model.Name} ({record.Model.Sha256}); this is {model.Name} ({model.Sha256})");
    });

    private static (PictureRequest Request, PictureRecord? Record, Action<ModelInfo> Opened) FromText(Terminal terminal, PictureFileContent content)
    {
        ParsedParameters parsed = ParametersText.Parse(content.Path, content.Parameters ?? throw new PictureRecordMissingException(content.Path));
        foreach (string part in parsed.NotTaken) terminal.WriteNotice("notice", $"not taken over: {part}");
        return (parsed.Request, null, model =>
        {
            bool isSame = parsed.ModelHash is { Length: > 0 } hash ? model.Sha256.StartsWith(hash, StringComparison.OrdinalIgnoreCase) : parsed.ModelName is null || parsed.ModelName == model.Name;
            if (!isSame) terminal.WriteNotice("notice", $"the picture was painted with {parsed.ModelName ?? "a model"} ({parsed.ModelHash ?? "digest unknown"}); this is {model.Name} ({model.Sha256[..ParametersText.ShortDigest]})");
        });
    }
}
