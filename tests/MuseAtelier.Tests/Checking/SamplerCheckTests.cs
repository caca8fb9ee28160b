using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Checking;

/// <summary>The check of samplers against recorded runs.</summary>
public sealed class SamplerCheckTests
{
    private static readonly string Own = Path.Combine(GoldenFiles.Folder, "sampling.golden.safetensors");

    public static TheoryData<string, string, int> Corruptions => new()
    {
        { "schedule.karras.10", "schedule.karras.10", 3 },
        { "euler.karras.5.sigmas", "euler.karras.5", 2 },
        { "dpmpp_2m.karras.12.x0", "dpmpp_2m.karras.12", 17 },
        { "dpmpp_2m.karras.12.before_step", "dpmpp_2m.karras.12", 2000 },
        { "heun.karras.5.final", "heun.karras.5", 255 },
        { "dpmpp_2m_sde.karras.5.drawn", "dpmpp_2m_sde.karras.5", 300 },
        { "euler.5.timesteps", "euler.5", 0 },
        { "euler_a.5.latents", "euler_a.5", 700 },
        { "ddim.5.x0", "ddim.5", 5 },
    };

    public static TheoryData<string> Painting => ["k_diffusion.golden.safetensors", "schedulers.golden.safetensors"];

    [Fact]
    public async Task RunAsync_OfTheRepositorysRuns_Passes()
    {
        SamplerReport report = await SamplerCheck.RunAsync(Own, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(report.Cases, one => Assert.True(one.Passed, $"{one}"));
        Assert.True(report.Passed);
        Assert.InRange(report.Cases.Count, 60, 80);
    }

    [Theory]
    [MemberData(nameof(Painting))]
    public async Task RunAsync_OfAllRuns_Passes(string name)
    {
        if (Environment.GetEnvironmentVariable("MUSE_GOLDENS") is not { Length: > 0 } folder) return;
        string path = Path.Combine(folder, "painting", name);
        if (!File.Exists(path)) return;
        SamplerReport report = await SamplerCheck.RunAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(report.Cases, one => Assert.True(one.Passed, $"{one}"));
    }

    [Theory]
    [MemberData(nameof(Corruptions))]
    public async Task RunAsync_OfACorruptedValue_FailsThatCaseAlone(string tensor, string expected, int index)
    {
        using var folder = new TemporaryFolder();
        string path = Corrupt(folder["bad.safetensors"], tensor, values => values[index] = values[index] * 1.001f + 0.001f);
        SamplerReport report = await SamplerCheck.RunAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        Assert.False(report.Passed);
        Assert.Equal([expected], report.Cases.Where(one => !one.Passed).Select(one => one.Name));
    }

    [Fact]
    public async Task RunAsync_OfUnknownNames_FailsThoseCases()
    {
        using var folder = new TemporaryFolder();
        RawCheckpoint raw = Read(Own);
        raw.Rename(name => name.Replace("euler.karras.5.", "wave.karras.5.", StringComparison.Ordinal)
            .Replace("schedule.beta_comfy.4", "schedule.bent.4", StringComparison.Ordinal));
        string path = Write(raw, folder["other.safetensors"], notes =>
        {
            notes["wave.karras.5."] = notes["euler.karras.5."]!.DeepClone();
            notes.Remove("euler.karras.5.");
            notes["euler.5."]!["config"]!["flow_shift"] = 3;
        });
        SamplerReport report = await SamplerCheck.RunAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        string[] remarks = [.. report.Cases.Where(one => !one.Passed).Select(one => $"{one.Name}: {one.Remark}")];
        Assert.Equal(
            [
                "euler.5: flow_shift is 3, which is not supported",
                "schedule.bent.4: no such schedule: bent",
                "wave.karras.5: no such sampler: wave",
            ],
            remarks);
    }

    [Theory]
    [InlineData("euler.karras.5.final", "missing")]
    [InlineData("euler.5.timesteps", "missing")]
    [InlineData("euler.karras.5.", "no tensors")]
    [InlineData("euler.karras.5.x0", "NaN")]
    [InlineData("schedule.karras.10", "infinity")]
    [InlineData("euler.karras.5.x0", "shape")]
    [InlineData("schedule.karras.10", "shape")]
    [InlineData("euler_a.5.drawn", "type")]
    [InlineData("euler.karras.0.x0", "added")]
    [InlineData("schedule.karras.1000000000", "added")]
    [InlineData("schedule.karras.-4", "added")]
    [InlineData("model.weight", "added")]
    [InlineData("euler.karras.5.more.x0", "added")]
    public async Task RunAsync_OfAFileOfAnotherForm_IsRefused(string tensor, string fault)
    {
        using var folder = new TemporaryFolder();
        RawCheckpoint raw = Read(Own);
        switch (fault)
        {
            case "missing":
                raw.Tensors.Remove(tensor);
                break;
            case "no tensors":
                raw.Rename(name => name.StartsWith(tensor, StringComparison.Ordinal) ? null : name);
                break;
            case "NaN" or "infinity":
                BinaryPrimitives.WriteSingleLittleEndian(
                    raw.Tensors[tensor].Bytes, fault == "NaN" ? float.NaN : float.PositiveInfinity);
                break;
            case "shape":
                raw.Reshape(tensor, raw.Tensors[tensor].Bytes.Length / sizeof(float), 1);
                break;
            case "type":
                raw.Tensors[tensor] = raw.Tensors[tensor] with { Type = "I32" };
                break;
            default:
                raw.SetSingles(tensor, [1], 1);
                break;
        }

        string path = Write(raw, folder["bad.safetensors"]);
        SamplerValuesException exception = await Assert.ThrowsAsync<SamplerValuesException>(
            () => SamplerCheck.RunAsync(path, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("expected", exception.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("[1, 2]")]
    [InlineData("{")]
    public async Task RunAsync_WithoutAUsableJsonFile_IsRefused(string? notes)
    {
        using var folder = new TemporaryFolder();
        string path = folder["values.safetensors"];
        File.Copy(Own, path);
        if (notes is not null) await File.WriteAllTextAsync(folder["values.json"], notes, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<SamplerValuesException>(
            () => SamplerCheck.RunAsync(path, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task RunAsync_OfACheckpoint_SaysWhatIsExpected()
    {
        using var folder = new TemporaryFolder();
        string path = folder["model.safetensors"];
        File.Copy(TestAtelier.Checkpoint, path);
        await File.WriteAllTextAsync(folder["model.json"], "{}", TestContext.Current.CancellationToken);
        SamplerValuesException exception = await Assert.ThrowsAsync<SamplerValuesException>(
            () => SamplerCheck.RunAsync(path, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("schedule.NAME.STEPS", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_Cancelled_Stops()
    {
        using var stop = new CancellationTokenSource();
        var progress = new Stopping(stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SamplerCheck.RunAsync(Own, progress, stop.Token));
        Assert.Equal(1, progress.Reports);
    }

    private static RawCheckpoint Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var raw = new RawCheckpoint();
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
            raw.Tensors[tensor.Name] = new RawCheckpoint.Tensor(tensor.TypeName, [.. tensor.Shape], file.Span(tensor).ToArray());
        return raw;
    }

    private static string Corrupt(string path, string tensor, Action<float[]> change)
    {
        RawCheckpoint raw = Read(Own);
        float[] values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(raw.Tensors[tensor].Bytes).ToArray();
        change(values);
        raw.SetSingles(tensor, values, raw.Tensors[tensor].Shape);
        return Write(raw, path);
    }

    private static string Write(RawCheckpoint raw, string path, Action<JsonObject>? change = null)
    {
        JsonObject notes = JsonNode.Parse(File.ReadAllBytes(Path.ChangeExtension(Own, ".json")))!.AsObject();
        change?.Invoke(notes);
        File.WriteAllText(Path.ChangeExtension(path, ".json"), notes.ToJsonString(), new UTF8Encoding(false));
        return raw.Write(path);
    }

    private sealed class Stopping(CancellationTokenSource stop) : IProgress<string>
    {
        public int Reports { get; private set; }

        public void Report(string value)
        {
            Reports++;
            stop.Cancel();
        }
    }
}
