using MuseAtelier.Cpu;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;

namespace MuseAtelier.Samples.CustomSampler;

/// <summary>Paints a picture with a sampler and a noise source that the library does not have.</summary>
public static class PaintingSample
{
    /// <summary>Runs the sample.</summary>
    /// <param name="arguments">The path of a model, the path of the picture to write, and optionally the number of steps.</param>
    /// <returns>0, or 1 if an argument is missing.</returns>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [string model, string picture, ..])
        {
            await Console.Error.WriteLineAsync("Usage: CustomSampler MODEL PICTURE [STEPS]");
            return 1;
        }

        int steps = arguments.Length > 2 ? int.Parse(arguments[2], System.Globalization.CultureInfo.InvariantCulture) : 15;
        AtelierOptions options = CustomParts.Register(new AtelierOptions { Backend = CpuBackend.Create() });
        await using Atelier atelier = await Atelier.OpenAsync(model, options);
        using Picture painted = await atelier.GenerateAsync(new PictureRequest
        {
            Prompt = "a starry night over a quiet city, oil painting",
            Width = 512,
            Height = 512,
            Steps = steps,
            Sampler = CustomParts.Ralston,
            NoiseSource = CustomParts.SplitMix,
            Seed = 42,
        });
        WrittenPicture written = PictureFile.Write(painted, picture, new PictureFileOptions { Metadata = MetadataLevel.Parameters });
        Console.WriteLine($"{written.Path}: {painted.Timings.Steps.Count} evaluations in {steps} steps");
        return 0;
    }
}
