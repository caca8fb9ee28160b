using System.CommandLine;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Pictures;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse replay</c>: paints a picture again from its file, with changes if the command line names any.</summary>
internal static class ReplayCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse replay night.png --seed 8 --out night-8.png",
        "",
        "Options that are not given take their values from the picture's file: from muse's own record, else from the text of the",
        "program that made the picture (AUTOMATIC1111, Forge, ComfyUI, SwarmUI, Fooocus, InvokeAI and others; docs/records.md lists",
        "them). Notices on stderr name the settings that muse cannot take over, and those that the text does not state. If the text",
        "states no seed, muse draws one; if it states no size, muse paints in the picture's own size. A picture that was denoised in a",
        "batch is painted again in a batch of the same size, unless --batch says otherwise: that takes the time of the whole batch and",
        "gives the same bytes. The decoder uses the same tiles and precision as before, unless --vae-tiling, a budget or another size",
        "changes them. On a processor, muse uses as many threads as before, unless --threads says otherwise. muse does not search for",
        "the model, nor for a VAE in a file of its own: name them with --model and --vae.",
    ];

    public static Command Create(Terminal terminal)
    {
        var picture = new Argument<string>("PICTURE") { Description = $"The picture: {PictureFormats.Known}." };
        var prompt = new Option<string?>("--prompt") { Description = "Another prompt.", HelpName = "PROMPT" };
        var command = new Command("replay", "Paints a picture again from its file, or with changed settings.") { picture, prompt };
        var request = new RequestChoices();
        request.AddTo(command, isRecorded: true);
        var painting = new Painting(terminal, command, request);
        command.SetAction(async (result, stop) =>
        {
            PictureFileContent content = PictureFile.Read(result.GetRequiredValue(picture));
            foreach (string notice in content.Notices) terminal.WriteNotice("notice", $"{content.Path}: {notice}");
            Source source = content.RecordJson is null
                ? FromText(terminal, content, result, request)
                : FromRecord(terminal, content.ReadRecord());
            PictureRequest basis = source.Request;
            if (result.GetValue(prompt) is { } other) basis = WithPrompt(basis, other);
            PictureRequest again = await request.ReadAsync(result, basis, source.Parsed, terminal, stop);
            return await painting.RunAsync(result, again, source.Record, Compare, stop);

            void Compare(Atelier atelier)
            {
                source.Opened(atelier);
                RenderCommand.WarnOfMisfit(terminal, request.Preset(result), atelier.Model, again.Loras);
            }
        });
        return command;
    }

    // The tags of another prompt name LoRAs of their own.
    private static PictureRequest WithPrompt(PictureRequest request, string prompt) => request with
    {
        Prompt = prompt,
        Loras = [.. request.Loras.Where(lora => !lora.IsFromPrompt)],
        HasFinalLoras = false,
        Hires = request.Hires is not { } pass ? null
            // A prompt of its own keeps its LoRAs.
            : pass.Prompt is not null ? pass with { Loras = pass.Loras ?? (request.HasFinalLoras ? request.Loras : null) }
            : pass with { Loras = pass.Loras?.Where(lora => !lora.IsFromPrompt).ToList() },
    };

    private static Source FromRecord(Terminal terminal, PictureRecord record)
    {
        return new Source(record.Request, record, Compare);

        void Compare(Atelier atelier)
        {
            ModelInfo model = atelier.Model;
            if (model.Sha256 != record.Model.Sha256)
            {
                string then = $"{record.Model.Name} ({record.Model.Sha256})";
                terminal.WriteNotice("notice", $"the picture was painted with {then}; this is {model.Name} ({model.Sha256})");
            }

            if (model.Vae?.Sha256 != record.Model.Vae?.Sha256)
            {
                string then = Describe(record.Model.Vae), now = Describe(model.Vae);
                terminal.WriteNotice("notice", $"the picture was painted with {then}; this is {now} (--vae FILE names another)");
            }

            if (atelier.Device != record.Engine.Device)
            {
                terminal.WriteNotice(
                    "notice",
                    $"the picture was painted on {record.Engine.Device}; this is {atelier.Device}, so the last bits may differ");
            }
        }
    }

    private static string Describe(UsedVae? vae) =>
        vae is null ? "the model's own VAE" : $"the VAE {vae.Name} ({Short(vae.Sha256)})";

    private static Source FromText(Terminal terminal, PictureFileContent content, ParseResult result, RequestChoices choices)
    {
        bool hasSource = choices.HasSource(result);
        ParsedParameters parsed = PictureTexts.Parse(content).WithLoras(choices.LoraFolders(result));
        terminal.WriteNotice("notice", $"from the text of {parsed.Program}");
        // The prompt's syntax is left out here, because painting reports it again as a notice of the picture.
        foreach (string part in parsed.NotTaken.Where(part => part != parsed.PromptSyntax && !IsTaken(part)))
            terminal.WriteNotice("notice", $"not taken over: {part}");
        if (parsed.Source is not null && !hasSource)
            terminal.WriteNotice("notice", "the picture was painted from another one; with --from FILE (and --mask FILE) it is again");
        if (parsed.NotTakenWithoutLoras.Count > 0)
            terminal.WriteNotice("notice", "the picture was painted with LoRAs; with --lora-folder FOLDER they are found by their names");
        foreach (string notice in parsed.Notices) terminal.WriteNotice("notice", notice);
        PictureRequest request = parsed.Request;
        if (!parsed.HasSeed && !choices.HasSeed(result))
        {
            request = request with { Seed = RequestChoices.DrawSeed() };
            terminal.WriteNotice("notice", Invariant($"The text names no seed; {request.Seed} was drawn."));
        }

        return new Source(request, null, Compare) { Parsed = parsed.Source };

        // The settings of a source are taken over once it is there, and embeddings are found by the prompt.
        bool IsTaken(string part) => (hasSource && parsed.Source?.NotTaken.Contains(part) == true)
            || (choices.EmbeddingFolders(result).Count > 0 && parsed.NotTakenWithoutEmbeddings.Contains(part));

        void Compare(Atelier atelier)
        {
            ModelInfo model = atelier.Model;
            if (IsSame(parsed, model)) return;
            string then = $"{parsed.ModelName ?? "a model"} ({parsed.ModelHash ?? "digest unknown"})";
            terminal.WriteNotice("notice", $"the picture was painted with {then}; this is {model.Name} ({Short(model.Sha256)})");
        }
    }

    // Compares digests if the text has one of this length, else names: older programs wrote eight digits of another digest.
    private static bool IsSame(ParsedParameters parsed, ModelInfo model)
    {
        if (parsed.ModelHash is { Length: >= ParametersText.ShortDigest } hash)
            return model.Sha256.StartsWith(hash, StringComparison.OrdinalIgnoreCase);
        return parsed.ModelName is null || parsed.ModelName.Equals(model.Name, StringComparison.OrdinalIgnoreCase);
    }

    private static string Short(string sha256) =>
        sha256.Length <= ParametersText.ShortDigest ? sha256 : sha256[..ParametersText.ShortDigest];

    /// <summary>The content of a picture's file that is replayed.</summary>
    /// <param name="Request">The request that painted it.</param>
    /// <param name="Record">Its record; null if it was read from another program's text.</param>
    /// <param name="Opened">Compares the open atelier with the picture's, and writes notices about differences.</param>
    private sealed record Source(PictureRequest Request, PictureRecord? Record, Action<Atelier> Opened)
    {
        /// <summary>How a text says that the picture was painted from another one.</summary>
        public ParsedSource? Parsed { get; init; }
    }
}
