namespace MuseAtelier.Server.OpenAi;

/// <summary>A quality by OpenAI's word, and the number of steps that it means here.</summary>
/// <param name="Word">The word.</param>
/// <param name="Used">The word that the answer states.</param>
/// <param name="Steps">The steps.</param>
internal sealed record ImageQuality(string Word, string Used, int Steps)
{
    private static readonly ImageQuality[] Known =
    [
        new("auto", "medium", 30), new("low", "low", 20), new("medium", "medium", 30), new("high", "high", 40), new("xhigh", "xhigh", 50),
        new("max", "max", 60), new("standard", "medium", 30), new("hd", "high", 40),
    ];

    /// <summary>The words, the default one first.</summary>
    public static string Words => string.Join(", ", Known.Select(quality => quality.Word));

    /// <summary>The quality of a word; null if there is none.</summary>
    public static ImageQuality? Find(string word) => Array.Find(Known, quality => quality.Word == word);
}
