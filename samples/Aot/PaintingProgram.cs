using System.Diagnostics;
using System.Globalization;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

namespace MuseAtelier.Samples.Aot;

/// <summary>Opens a model and paints a picture. Published, it is native code and needs neither .NET nor a compiler.</summary>
public static class PaintingProgram
{
    /// <summary>Runs the program.</summary>
    /// <param name="arguments">
    /// The path of a model, and the paths of the pictures to write: .png, .jpg or .webp. Without pictures, the model is only opened.
    /// </param>
    /// <returns>0, or 1 if an argument is missing.</returns>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [string model, .. string[] paths])
        {
            await Console.Error.WriteLineAsync("Usage: Aot MODEL [PICTURE ...]");
            return 1;
        }

        long start = Stopwatch.GetTimestamp();
        await using Atelier atelier = await Atelier.OpenAsync(model, new AtelierOptions { Backend = CpuBackend.Create() });
        double opening = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opened in {opening:0} ms"));
        if (paths.Length == 0) return 0;
        var request = new PictureRequest { Prompt = "a quiet harbour, watercolour", Width = 256, Height = 256, Steps = 1, Seed = 3 };
        using Picture picture = await atelier.GenerateAsync(request);
        foreach (string path in paths) Console.WriteLine(PictureFile.Write(picture, path).Path);
        return 0;
    }
}
