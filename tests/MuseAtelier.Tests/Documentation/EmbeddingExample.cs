using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The example of the READMEs, compiled. They show the lines between the marks word for word.</summary>
internal static class EmbeddingExample
{
    public static async Task PaintAsync()
    {
        // begin
        await using Atelier atelier = await Atelier.OpenAsync(
            "models/miniature/miniature.safetensors",
            new AtelierOptions { Backend = CpuBackend.Create() });
        Picture picture = await atelier.GenerateAsync(new PictureRequest
        {
            Prompt = "oil painting by Van Gogh, a starry night over a quiet Renaissance city",
            NegativePrompt = "blurry, low quality",
            Seed = 42,
        });
        PictureFile.Write(picture, "starry-night.png");
        // end
    }
}
