using System.CommandLine;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that name the files of which a record holds digests alone.</summary>
internal sealed class RecordedFileChoices
{
    private readonly Option<string?> _from = UserPath.Option("--from");
    private readonly Option<string?> _mask = UserPath.Option("--mask");
    private readonly Option<string?> _upscaler = UserPath.Option("--hires-upscaler");
    private readonly LoraChoices _loras = new();
    private readonly Option<string[]> _embeddings = EmbeddingChoice.Create();

    /// <summary>Adds the options to a command.</summary>
    public RecordedFileChoices(Command command)
    {
        _from.Description = "The picture that this one was painted from.";
        _mask.Description = "The mask with which it was painted, unless that was the transparent part of the source.";
        _upscaler.Description = "The upscaler's model with which it was enlarged.";
        foreach (Option<string?> option in (Option<string?>[])[_from, _mask, _upscaler])
        {
            option.HelpName = "FILE";
            command.Add(option);
        }

        _loras.AddTo(command);
        command.Options.Single(option => option.Name == "--lora").Description = "A LoRA with which it was painted, which is recognised by "
            + "its digest; may be given several times. A strength behind the name is not used.";
        command.Add(_embeddings);
        command.Validators.Add(result => Choice.Require(result, _from, [_mask]));
    }

    /// <summary>The folders in which prompts find embeddings.</summary>
    public IReadOnlyList<string> EmbeddingFolders(ParseResult result) => result.GetValue(_embeddings) ?? [];

    /// <summary>Reads the files, and says which ones the record does not ask for.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="request">The recorded request.</param>
    /// <param name="terminal">Takes notices.</param>
    /// <param name="stop">Stops the reading.</param>
    /// <exception cref="PictureFileException">A file cannot be read.</exception>
    public async Task<RequestSources> ReadAsync(
        ParseResult result, PictureRequest request, Terminal terminal, CancellationToken stop)
    {
        string? path = result.GetValue(_from), mask = result.GetValue(_mask), upscaler = result.GetValue(_upscaler);
        if (path is not null && request.Source is null) Ignore(_from, "the picture was painted from noise alone");
        else if (mask is not null && request.Source?.Mask is null) Ignore(_mask, "the picture was painted without a mask");
        bool isEnlarged = request.Hires?.Upscaler.Path is not null;
        if (upscaler is not null && !isEnlarged) Ignore(_upscaler, "the picture was enlarged without a model");
        bool hasLoras = request.Loras.Count > 0 || request.Hires?.Loras is { Count: > 0 };
        if (!hasLoras && _loras.PathsOf(result).Count > 0)
            terminal.WriteNotice("notice", "--lora is not used: the picture was painted without LoRAs");
        var sources = new RequestSources
        {
            UpscalerPath = isEnlarged ? upscaler : null,
            LoraFolders = _loras.FoldersOf(result),
            LoraPaths = _loras.PathsOf(result),
        };
        if (path is null || request.Source is null) return sources;
        (SourceImage source, MaskImage? read) = await SourceFiles.LoadAsync(path, request.Source.Mask is null ? null : mask, stop);
        return sources with { Source = source, Mask = read };

        void Ignore(Option option, string why) => terminal.WriteNotice("notice", $"{option.Name} is not used: {why}");
    }
}
