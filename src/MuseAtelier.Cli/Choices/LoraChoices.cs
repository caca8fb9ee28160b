using System.CommandLine;
using System.CommandLine.Parsing;
using MuseAtelier.Export.Loras;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that name LoRAs: files, and folders in which prompts find them.</summary>
internal sealed class LoraChoices
{
    private const string Expected = "FILE, FILE:STRENGTH or FILE:STRENGTH:TEXT_STRENGTH with strengths from -100 to 100";

    private readonly Option<LoraArgument[]> _files = Files(
        "--lora",
        "A LoRA (.safetensors), with its strength for the UNet and, if it is another one, for the text encoders; may be given several "
            + "times. [default: strength 1]");
    private readonly Option<string[]> _folders = Folders();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="hasPrompt">Whether the command has a prompt, in which tags are found.</param>
    public void AddTo(Command command, bool hasPrompt = true)
    {
        command.Add(_files);
        if (hasPrompt) command.Add(_folders);
    }

    /// <summary>An option that names LoRAs and their strengths.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="none">The word for an empty list; null if there is none.</param>
    public static Option<LoraArgument[]> Files(string name, string description, string? none = null) => new(name)
    {
        Description = description,
        HelpName = "FILE[:STRENGTH[:TEXT_STRENGTH]]",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => [.. result.Tokens.Where(token => token.Value != none)
            .Select(token => Parse(result, name, token.Value)).OfType<LoraArgument>()],
        DefaultValueFactory = _ => [],
    };

    /// <summary>The LoRA that an argument names.</summary>
    public static PictureLora ToLora(LoraArgument named) =>
        new() { Path = named.Path, Strength = named.Strength ?? 1, TextStrength = named.TextStrength };

    /// <summary>An option that names folders of LoRAs.</summary>
    public static Option<string[]> Folders() => UserPath.Several(
        "--lora-folder",
        "A folder of LoRAs, with its subfolders, in which <lora:name:0.8> of a prompt is found; may be given several times. "
            + "[default: none; tags are text]");

    /// <summary>The folders in which names are looked up.</summary>
    /// <exception cref="LoraFolderException">One of them does not exist.</exception>
    public IReadOnlyList<string> FoldersOf(ParseResult result) => FoldersOf(result, _folders);

    /// <summary>The folders that an option of <see cref="Folders"/> names.</summary>
    /// <exception cref="LoraFolderException">One of them does not exist.</exception>
    public static IReadOnlyList<string> FoldersOf(ParseResult result, Option<string[]> folders)
    {
        string[] named = result.GetValue(folders) ?? [];
        // A prompt without tags reads no folder, and a wrong path would go unnoticed.
        return Array.Find(named, folder => !Directory.Exists(folder)) is { } missing ? throw new LoraFolderException(missing) : named;
    }

    /// <summary>The paths of the files that the command line names.</summary>
    public IReadOnlyList<string> PathsOf(ParseResult result) => [.. Given(result).Select(lora => lora.Path)];

    /// <summary>
    /// A request with the LoRAs that the command line names. A file that is one of the request's own changes its strengths if it has any;
    /// the others follow the request's own. One without strengths that is of a recorded second pass only says where that file is.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="request">The request, whose LoRAs have their paths.</param>
    public PictureRequest Read(ParseResult result, PictureRequest request)
    {
        LoraArgument[] given = Given(result);
        if (given.Length == 0) return request;
        List<PictureLora> loras = [.. request.Loras];
        foreach (LoraArgument lora in given)
        {
            int own = loras.FindIndex(0, request.Loras.Count, known => known.Path == lora.Path);
            bool isOfSecondPass = lora.Strength is null && request.Hires?.Loras?.Any(known => known.Path == lora.Path) == true;
            if (own < 0 && isOfSecondPass) continue;
            if (own < 0) loras.Add(ToLora(lora));
            else if (lora.Strength is { } strength)
                loras[own] = loras[own] with { Strength = strength, TextStrength = lora.TextStrength };
        }

        return request with { Loras = loras };
    }

    private LoraArgument[] Given(ParseResult result) => result.GetValue(_files) ?? [];

    private static LoraArgument? Parse(ArgumentResult result, string name, string text)
    {
        LoraArgument named = LoraArgument.Parse(text);
        try
        {
            if (named.Path.Length > 0 && IsInRange(named.Strength) && IsInRange(named.TextStrength))
                return named with { Path = UserPath.Expand(name, named.Path) };
            result.AddError(Choice.Refusal(name, text, Expected));
        }
        catch (UserPathException exception)
        {
            result.AddError(exception.Message);
        }

        return null;
    }

    private static bool IsInRange(float? strength) => strength is null || LoraRules.IsStrength(strength.Value);
}
