using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Checkpoints;

/// <summary>
/// Headers that were changed at random: each is read, or refused with a documented type, without allocating what it claims. The number of
/// changed headers is that of MUSE_FUZZ, or a thousand of each kind.
/// </summary>
public sealed class HostileHeaderTests(ITestOutputHelper output) : IDisposable
{
    private const int Seed = 20_261;
    private const long MostBeyondTheHeader = 64 << 20;

    private readonly TemporaryFolder _folder = new();
    private long _mostAllocated;
    private TimeSpan _slowest;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("MUSE_FUZZ"), CultureInfo.InvariantCulture, out int rounds) ? rounds : 1000;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Describe_OfAChangedStructure_ReadsItOrRefusesItWithItsType()
    {
        string original = MiniatureHeader(out long data);
        string[] names = [.. JsonNode.Parse(original)!.AsObject().Select(member => member.Key)];
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int round = 0; round < Rounds; round++)
        {
            var random = new Random(Seed + round);
            JsonObject header = JsonNode.Parse(original)!.AsObject();
            for (int change = random.Next(1, 4); change > 0; change--) Change(header, names, random);
            Count(counts, Try(Encoding.UTF8.GetBytes(header.ToJsonString()), data, round));
        }

        Report(counts);
        // A test in which nothing is refused, or all with one type, would prove little.
        Assert.True(counts.Count >= 5, string.Join(", ", counts.Keys));
    }

    [Fact]
    public void Describe_OfChangedBytes_ReadsItOrRefusesItWithItsType()
    {
        byte[] original = Encoding.UTF8.GetBytes(MiniatureHeader(out long data));
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int round = 0; round < Rounds; round++)
        {
            var random = new Random(Seed + round);
            byte[] header = [.. original];
            for (int change = random.Next(1, 9); change > 0; change--) header[random.Next(header.Length)] = random.Next(3) == 0
                ? (byte)random.Next(256) : "0123456789,:[]{}\"-."u8[random.Next(19)];
            if (random.Next(4) == 0) header = header[..random.Next(header.Length)];
            Count(counts, Try(header, data, round, random.Next(8) == 0 ? random.NextInt64() >> random.Next(63) : null));
        }

        Report(counts);
        Assert.True(counts.Count >= 3, string.Join(", ", counts.Keys));
    }

    // Each takes some MiB that are really there, and claims or names as much as the format lets it.
    [Theory]
    [InlineData("tensors")]
    [InlineData("long names")]
    [InlineData("dimensions")]
    [InlineData("metadata")]
    [InlineData("a long text")]
    [InlineData("a long type")]
    [InlineData("depth")]
    [InlineData("white space")]
    [InlineData("block numbers")]
    public void Describe_OfALargeHeader_TakesLittleMoreThanItsBytes(string kind)
    {
        byte[] header = Encoding.UTF8.GetBytes(Large(kind));
        Assert.InRange(header.Length, 4 << 20, SafetensorsFile.MaxHeaderBytes);
        string outcome = Try(header, 64, 0);
        Assert.NotEqual("read", outcome);
        Report(new SortedDictionary<string, int>(StringComparer.Ordinal) { [outcome] = 1 });
    }

    private static void Change(JsonObject header, string[] names, Random random)
    {
        string name = names[random.Next(names.Length)];
        if (header[name] is not JsonObject tensor || tensor["shape"] is not JsonArray shape
            || tensor["data_offsets"] is not JsonArray offsets || shape.Count == 0) return;
        switch (random.Next(14))
        {
            case 0: tensor["dtype"] = Pick<JsonNode?>(random, "F32", "F8_E4M3", "I8", "BOOL", "X", "", null, 7, new JsonArray()); break;
            case 1: shape[random.Next(shape.Count)] = Odd(random); break;
            case 2: shape.Add(Odd(random)); break;
            case 3: shape.RemoveAt(random.Next(shape.Count)); break;
            case 4:
                var manyOnes = new JsonArray([.. Enumerable.Range(0, 70).Select(_ => JsonValue.Create(1))]);
                tensor["shape"] =
                    Pick<JsonNode?>(random, null, "4", 4, new JsonObject(), new JsonArray(new JsonArray()), manyOnes);
                break;
            case 5: offsets[random.Next(offsets.Count)] = Odd(random); break;
            case 6: offsets.Add(Odd(random)); break;
            case 7: tensor.Remove(Pick(random, "dtype", "shape", "data_offsets")); break;
            case 8: header.Remove(name); break;
            case 9: header[Renumber(name, random)] = tensor.DeepClone(); break;
            // Shape and range fit each other: what is wrong is for the network to find.
            case 10: Fit(tensor, offsets, [.. shape.Reverse().Select(size => (long)size!)]); break;
            case 11: Fit(tensor, offsets, [.. shape.Select(size => random.Next(3) == 0 ? random.Next(0, 200) : (long)size!)]); break;
            case 12: Fit(tensor, offsets, [0, .. shape.Select(_ => random.NextInt64())]); break;
            default:
                var prediction = new JsonObject { ["modelspec.prediction_type"] = 3 };
                var nested = new JsonObject { ["a"] = new JsonArray(new JsonObject()) };
                header["__metadata__"] = Pick<JsonNode?>(random, null, 1, new JsonArray(), prediction, nested);
                break;
        }
    }

    private static void Fit(JsonObject tensor, JsonArray offsets, long[] shape)
    {
        if (offsets.Count != 2 || tensor["dtype"] is not JsonValue type || type.ToString() != "F16") return;
        tensor["shape"] = new JsonArray([.. shape.Select(size => JsonValue.Create(size))]);
        long elements = shape.Contains(0) ? 0 : shape.Aggregate(1L, (product, size) => unchecked(product * size));
        if (offsets[0] is JsonValue start && start.TryGetValue(out long begin)) offsets[1] = unchecked(begin + 2 * elements);
    }

    private static string Renumber(string name, Random random)
    {
        string number = Pick(random, "63", "64", "9", "999999999", "2147483647", "99999999999999999999", "-1", "007", "");
        int digit = name.AsSpan().IndexOfAnyInRange('0', '9');
        return digit < 0 ? name + number : name[..digit] + number + name[(digit + 1)..];
    }

    private static JsonNode? Odd(Random random) =>
        Pick<JsonNode?>(random, 0, -1, 1, 1.5, 2147483648L, long.MaxValue, 1e30, "4", null, true, 4, 128, new JsonArray());

    private static T Pick<T>(Random random, params T[] all) => all[random.Next(all.Length)];

    private static string Large(string kind)
    {
        const string one = """{"dtype":"U8","shape":[0],"data_offsets":[0,0]}""";
        var text = new StringBuilder("{");
        switch (kind)
        {
            case "tensors":
                for (int i = 0; i < 150_000; i++) text.Append(CultureInfo.InvariantCulture, $"\"{i}\":{one},");
                return text.Append("\"x\":").Append(one).Append('}').ToString();
            case "long names":
                for (int i = 0; i < 30_000; i++) text.Append(CultureInfo.InvariantCulture, $"\"{i:D500}\":{one},");
                return text.Append("\"x\":").Append(one).Append('}').ToString();
            case "dimensions":
                return text.Append("\"x\":{\"dtype\":\"U8\",\"data_offsets\":[0,1],\"shape\":[1").Insert(text.Length, ",1", 4 << 20)
                    .Append("]}}").ToString();
            case "metadata":
                text.Append("\"__metadata__\":{");
                for (int i = 0; i < 600_000; i++) text.Append(CultureInfo.InvariantCulture, $"\"{i}\":\"\",");
                return text.Append("\"x\":\"\"}}").ToString();
            case "a long text":
                return text.Append("\"__metadata__\":{\"x\":\"").Append('x', 20 << 20).Append("\",\"y\":\"").Append('y', 20 << 20)
                    .Append("\"}}").ToString();
            case "a long type":
                return text.Append("\"x\":{\"dtype\":\"").Append('F', 8 << 20).Append("\",\"shape\":[1],\"data_offsets\":[0,1]}}")
                    .ToString();
            case "depth":
                return text.Append("\"x\":").Append('[', 8 << 20).ToString();
            case "block numbers":
                for (int i = 0; i < 20_000; i++)
                    text.Append(
                        CultureInfo.InvariantCulture, $"\"model.diffusion_model.input_blocks.{i}.0.{new string('x', 160)}\":{one},");
                return text.Append("\"conditioner.embedders.0.transformer.text_model.x\":").Append(one)
                    .Append(",\"conditioner.embedders.1.model.x\":").Append(one)
                    .Append(",\"first_stage_model.decoder.x\":").Append(one).Append('}').ToString();
            default:
                return text.Append(' ', 50 << 20).Append('}').ToString();
        }
    }

    private static void Count(SortedDictionary<string, int> counts, string outcome) =>
        counts[outcome] = counts.GetValueOrDefault(outcome) + 1;

    private static string MiniatureHeader(out long data)
    {
        using FileStream file = File.OpenRead(TestAtelier.Checkpoint);
        byte[] length = new byte[sizeof(long)];
        file.ReadExactly(length);
        byte[] header = new byte[BinaryPrimitives.ReadInt64LittleEndian(length)];
        file.ReadExactly(header);
        data = file.Length - sizeof(long) - header.Length;
        return Encoding.UTF8.GetString(header);
    }

    // The file has the data's size, though none of it is read: a hole.
    private string Try(byte[] header, long data, int round, long? statedLength = null)
    {
        string path = _folder["hostile.safetensors"];
        byte[] length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, statedLength ?? header.Length);
        using (FileStream file = File.Create(path))
        {
            file.Write(length);
            file.Write(header);
            file.SetLength(file.Length + data);
        }

        long before = GC.GetAllocatedBytesForCurrentThread(), begin = Stopwatch.GetTimestamp();
        try
        {
            CheckpointExporter.Describe(path, new ExportOptions { Lowering = round % 2 == 0 ? Lowering.Portable : Lowering.Cuda });
            return "read";
        }
        catch (CheckpointException exception)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            _mostAllocated = Math.Max(_mostAllocated, allocated - header.Length);
            Assert.True(allocated <= header.Length + MostBeyondTheHeader, $"round {round}: {allocated} bytes for {exception.Message}");
            Assert.True(exception.Message.Length < 4096, $"round {round}: a message of {exception.Message.Length} characters");
            return exception.GetType().Name;
        }
        catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"round {round} of seed {Seed} threw {exception.GetType().Name}", exception);
        }
        finally
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(begin);
            if (elapsed > _slowest) _slowest = elapsed;
        }
    }

    private void Report(SortedDictionary<string, int> counts)
    {
        Cancellation.ThrowIfCancellationRequested();
        output.WriteLine(FormattableString.Invariant(
            $"slowest {_slowest.TotalMilliseconds:F0} ms; most allocated beyond the header {_mostAllocated >> 10} KiB"));
        foreach ((string outcome, int count) in counts) output.WriteLine(FormattableString.Invariant($"{count,6} {outcome}"));
    }
}
