using System.Globalization;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Brownian noise against torchsde's, as k-diffusion's samplers draw it.</summary>
public sealed class BrownianNoiseTests
{
    private static readonly GoldenFile Golden = new(Path.Combine(GoldenFiles.Folder, "brownian.golden.safetensors"));

    [Fact]
    public void Probe()
    {
        float[] sigmas = Golden.Floats("dpmpp_2m_sde.exponential.5.sigmas"), drawn = Golden.Floats("dpmpp_2m_sde.exponential.5.drawn");
        float[][] ours = IntervalSampler.Draw(sigmas, Falling(sigmas), Torch(42), 256);
        for (int i = 0; i < ours.Length; i++)
        {
            double worst = 0;
            int equal = 0;
            for (int j = 0; j < 256; j++)
            {
                worst = Math.Max(worst, Math.Abs(ours[i][j] - drawn[i * 256 + j]));
                if (ours[i][j] == drawn[i * 256 + j]) equal++;
            }
            TestContext.Current.TestOutputHelper!.WriteLine($"2m {i}: {worst} equal {equal}");
        }

        double min = 0.029167, max = 14.614643096923828;
        float[] k = Golden.Floats("dpmpp_sde.karras.5.sigmas");
        min = k[4]; max = k[0];
        float[] six = new float[7];
        for (int i = 0; i < 6; i++)
            six[i] = (float)Math.Pow(Math.Pow(max, 1 / 7.0) + i / 5.0 * (Math.Pow(min, 1 / 7.0) - Math.Pow(max, 1 / 7.0)), 7);
        six[5] = (float)min; six[0] = (float)max;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(' ', six.Select(s => s.ToString("R", CultureInfo.InvariantCulture))));
        float[] b = Golden.Floats("brownian.42");
        void Try(int index, float delta5, int u1, int u2)
        {
            float[] t = [.. six];
            t[1] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(t[1]) + u1);
            t[2] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(t[2]) + u2);
            t[5] += delta5;
            float[][] mine = IntervalSampler.Draw(t, Falling(t), Torch(42), 256);
            double worst = Enumerable.Range(0, 256).Max(j => Math.Abs(mine[index][j] - b[index * 256 + j]));
            TestContext.Current.TestOutputHelper!.WriteLine($"b {index} {u1} {u2} {t[5]:R} {t[1]:R} {t[2]:R}: {worst}");
        }
        for (int u = -3; u < 4; u++) Try(0, 0, u, 0);
        for (int u = -3; u < 4; u++) Try(2, 0, 0, u);
        for (int u = -8; u <= 8; u++) Try(4, u * 1.8626e-9f, 0, 0);
        Try(4, 2e-7f, 0, 0);
        Try(4, 3e-7f, 0, 0);
        Try(4, -2e-7f, 0, 0);
    }

    private static (float, float)[] Falling(float[] sigmas) =>
        [.. Enumerable.Range(0, sigmas.Length - 2).Select(i => (sigmas[i], sigmas[i + 1]))];

    private static PictureNoise Torch(ulong seed) => NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, seed);
}
