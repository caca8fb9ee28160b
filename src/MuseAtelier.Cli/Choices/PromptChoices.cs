using System.CommandLine;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that change how prompts are read and encoded.</summary>
internal sealed class PromptChoices
{
    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    private readonly Option<PromptSyntax> _syntax = PromptSyntaxChoice.Create();
    private readonly Option<PromptEmphasis> _emphasis = Choice.Named<PromptEmphasis>(
        "--emphasis",
        "How weights act in a1111: original restores the mean of the encoders' output, no-norm does not.",
        new Dictionary<string, PromptEmphasis> { ["original"] = PromptEmphasis.Original, ["no-norm"] = PromptEmphasis.NoNorm });
    private readonly Option<int> _backtrack = PromptSyntaxChoice.CreateCommaBacktrack();
    private readonly Option<int> _clipSkip = Choice.Whole(
        "--clip-skip",
        "The layer of the text encoders that is used, counted from the last one, 1 to 12. SDXL's is 2; 1 means the same.",
        Defaults.ClipSkip);
    private readonly Option<SizePair?> _original = SizePair.Option(
        "--original-size", "SDXL's size conditioning: the size of the original. [default: the picture's own]", "x");
    private readonly Option<SizePair?> _crop = SizePair.Option(
        "--crop", "SDXL's size conditioning: the columns and rows cut off on the left and at the top. [default: 0,0]", ",");
    private readonly Option<SizePair?> _target = SizePair.Option(
        "--target-size", "SDXL's size conditioning: the size that the picture should appear to be made for. [default: its own]", "x");

    private readonly Option<string[]> _embeddings = EmbeddingChoice.Create();

    /// <summary>The options.</summary>
    public IReadOnlyList<Option> All => [_syntax, _emphasis, _backtrack, _clipSkip, _original, _crop, _target];

    /// <summary>Adds the option that names folders of embeddings, which are no part of a request.</summary>
    public void AddFolders(Command command) => command.Add(_embeddings);

    /// <summary>The folders in which prompts find embeddings.</summary>
    public IReadOnlyList<string> EmbeddingFolders(ParseResult result) => result.GetValue(_embeddings) ?? [];

    /// <summary>A request with the changes that the command line names.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">Supplies the value of every option that is not given, and the picture's size.</param>
    public PictureRequest Read(ParseResult result, PictureRequest basis) => basis with
    {
        PromptSyntax = Choice.Given(result, _syntax, basis.PromptSyntax),
        Emphasis = Choice.Given(result, _emphasis, basis.Emphasis),
        CommaBacktrack = Choice.Given(result, _backtrack, basis.CommaBacktrack),
        ClipSkip = Choice.Given(result, _clipSkip, basis.ClipSkip),
        Conditioning = ReadConditioning(result, basis),
    };

    private MicroConditioning? ReadConditioning(ParseResult result, PictureRequest basis)
    {
        SizePair? original = result.GetValue(_original), crop = result.GetValue(_crop), target = result.GetValue(_target);
        if (original is null && crop is null && target is null) return basis.Conditioning;
        MicroConditioning known =
            basis.Conditioning ?? new MicroConditioning(basis.Width, basis.Height, 0, 0, basis.Width, basis.Height);
        return new MicroConditioning(
            original?.First ?? known.OriginalWidth,
            original?.Second ?? known.OriginalHeight,
            crop?.First ?? known.CropLeft,
            crop?.Second ?? known.CropTop,
            target?.First ?? known.TargetWidth,
            target?.Second ?? known.TargetHeight);
    }
}
