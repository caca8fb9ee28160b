using MuseAtelier.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>
/// Real texts of other programs: what is painted, in the form in which this project writes it, and what is left.
/// </summary>
public sealed class ProgramTextTests
{
    /// <summary>
    /// The names of the texts. Beside each is what is expected: the program, the settings, and the beginnings of what is not taken over.
    /// </summary>
    public static TheoryData<string> Texts =>
        [.. Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)).Where(IsText).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(GoldenFiles.Folder, "texts");

    /// <summary>Whether a file of the folder is a text, not what is expected of one.</summary>
    internal static bool IsText(string file) => file.EndsWith(".txt", StringComparison.Ordinal)
        || file.EndsWith(".json", StringComparison.Ordinal);

    // A card's tree is a noise source of its own where the library has one.
    [Theory]
    [MemberData(nameof(Texts))]
    public void Parse_OfARealText_TakesOverWhatCanBePaintedAndNamesTheRest(string file)
    {
        ParsedParameters parsed = PictureTexts.Parse(Content(file));
        string[] expected = File.ReadAllLines(Path.Combine(Folder, Path.ChangeExtension(file, ".expected")));
        Assert.Equal(expected[0], parsed.Program);
        string written = ParametersText.Write(parsed.Request, parsed.ModelName ?? "none", "", "1");
        string line = written.Split('\n')[^1].Replace("comfy-gpu", "comfy", StringComparison.Ordinal);
        Assert.Equal($"{expected[1]}, Version: 1", line);
        string[] left = expected[2..];
        Assert.Equal(left.Length, parsed.NotTaken.Count);
        for (int i = 0; i < left.Length; i++) Assert.StartsWith(left[i], parsed.NotTaken[i], StringComparison.Ordinal);
        Assert.True(parsed is { HasSeed: true, HasSize: true });
        // What was read can be painted.
        PictureRequestException.ThrowIfUnpaintable(parsed.Request);
    }

    [Theory]
    [InlineData("invokeai-2.json", "an orchard in bloom, (oil painting:1.2)", "(grainy:1.1), photo, (noisy:1.21)")]
    [InlineData("fooocus-1.json", "cinematic still A sunflower field . film grain, A sunflower field, highly detailed",
        "(blur:1.4), watermark, anime")]
    [InlineData("swarmui-1.json", "a fire on the beach,\nsparks, volumetric light", "sketch, (bad)")]
    [InlineData("comfyui-2.json", "a quiet harbour at night, (lanterns:1.2)", "signature, watermark")]
    public void Parse_OfARealText_TakesItsPrompts(string file, string prompt, string negative)
    {
        PictureRequest request = PictureTexts.Parse(Content(file)).Request;
        Assert.Equal((prompt, negative), (request.Prompt, request.NegativePrompt));
    }

    // What differs in every picture of a program is said once.
    [Theory]
    [InlineData("a1111-2.txt", 0, "")]
    [InlineData("forge-2.txt", 0, "")]
    [InlineData("comfyui-1.json", 0, "")]
    [InlineData("comfyui-2.json", 0, "")]
    [InlineData("fooocus-2.txt", 1, "Fooocus changes ComfyUI's sampling")]
    [InlineData("invokeai-2.json", 2, "InvokeAI's weights")]
    [InlineData("drawthings-1.json", 1, "random numbers of its own")]
    [InlineData("drawthings-2.json", 0, "")]
    public void Parse_OfARealText_SaysWhatDiffers(string file, int notices, string words)
    {
        ParsedParameters parsed = PictureTexts.Parse(Content(file));
        Assert.Equal(notices, parsed.Notices.Count);
        Assert.Contains(words, string.Join(' ', parsed.Notices), StringComparison.Ordinal);
    }

    private static PictureFileContent Content(string file)
    {
        string text = File.ReadAllText(Path.Combine(Folder, file)).TrimEnd();
        return PictureTextsTests.Content((KeywordOf(file), text));
    }

    /// <summary>The keyword under which a program of a file of these texts writes.</summary>
    internal static string KeywordOf(string file) => file.Split('-')[0] switch
    {
        "comfyui" => "prompt",
        "invokeai" => "invokeai_metadata",
        "drawthings" => "UserComment",
        _ => "parameters",
    };
}
