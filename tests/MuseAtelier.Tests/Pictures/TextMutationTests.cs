using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>
/// Records and texts that were changed at random: each is read or refused with an exception of the library's own. The variable
/// MUSE_MUTATIONS makes more of them.
/// </summary>
public sealed class TextMutationTests
{
    private const int Usual = 1500;

    // Half of a pair, which a node cannot be written with: it is put in afterwards.
    private const string Surrogate = "\"half of a pair\"";

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "-1e400", "99999999999999999999", "2147483648", "4294967296", "\"\"", "\"x\"",
            "\"NaN\"", Surrogate, "[]", "{}", "[null]", "[[]]",
        "\"Leading\"", "77", "{\"a\":{\"b\":[1,2,{}]}}", "\"0000000000000000\"", "9.223372036854775807e18",
    ];

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("MUSE_MUTATIONS"), NumberStyles.None,
        CultureInfo.InvariantCulture, out int count) ? count : Usual;

    [Fact]
    public void Parse_OfMutatedRecords_RefusesWithItsOwnTypes()
    {
        string json = SamplePicture.RecordOf(new PictureRequest
        {
            Prompt = "夜 \"sea\"",
            NegativePrompt = "fog",
            Width = 512,
            Height = 768,
            Steps = 3,
            Conditioning = new MicroConditioning(1, 2, 3, 4, 5, 6),
            Frame = new PictureFrame(FrameStyle.Celadon, FramePlacement.Outside),
            Emphasis = PromptEmphasis.NoNorm,
            CommaBacktrack = 3,
            ClipSkip = 3,
            Eta = 0.5f,
            Prediction = ModelPrediction.VelocityZeroSnr,
            VariationSeed = 5,
            VariationStrength = 0.25f,
            GuidanceRescale = 0.5f,
            GuidanceFrom = 0.25f,
            GuidanceTo = 0.75f,
            Schedule = new NoiseSchedule { Timesteps = new TimestepList(999, 600, 200) },
        }).ToJson().Replace("\"batchSlot\"", "\"vaeTile\":{\"height\":64,\"width\":64},\"batchSlot\"", StringComparison.Ordinal);
        PictureRecord.Parse("a.png", json);
        int read = 0;
        Run(1, json, text =>
        {
            PictureRecord record = PictureRecord.Parse("a.png", text);
            read++;
            // What is read can be written, shown and checked.
            record.ToJson();
            _ = (record.Engine.Threads, record.Engine.BatchSlot,
                PictureVerifier.Suit(record, new AtelierOptions { Backend = MuseAtelier.Cpu.CpuBackend.Create() }));
            try
            {
                PictureRequestException.ThrowIfUnpaintable(record.Request);
            }
            catch (PictureRequestException)
            {
                return;
            }

            ParametersText.Write(record.Request, record.Model.Name, record.Model.Sha256, record.Engine.Version);
        });
        Assert.InRange(read, 1, Count);
    }

    [Fact]
    public void Parse_OfMutatedTexts_RefusesWithItsOwnTypes()
    {
        const string prompts = "a lake\nNegative prompt: fog\n";
        const string settings = "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7.5, Seed: 12, Size: 512x768, RNG: NV";
        const string further = ", Clip skip: 2, Model: \"a, b\", Hashes: {\"model\": \"01\"}, Crop: 1x2, Frame: ebony outside, "
            + "Variation seed: 3, Variation seed strength: 0.5, Eta: 0.5, Skip Early CFG: 0.1, Timesteps: 999 500, "
            + "Guidance to: 0.5, Dialect: comfy, Comma backtrack: 3, Version: v1";
        Run(2, prompts + settings + further, mutated => PictureTexts.Parse(PictureTextsTests.Content(("parameters", mutated))));
    }

    [Fact]
    public void Parse_OfMutatedJsonOfOtherPrograms_RefusesWithItsOwnTypes()
    {
        for (int i = 0; i < PictureTextsTests.Samples.Count; i++)
        {
            (string keyword, string text) = PictureTextsTests.Samples[i];
            Run(3 + i, JsonNode.Parse(text)!.ToJsonString(), mutated =>
            {
                PictureFileContent content = PictureTextsTests.Content((keyword, mutated),
                    ("Software", keyword == "Comment" ? "NovelAI" : "x"));
                PictureTexts.Find(content);
                PictureTexts.Parse(content);
            }, PictureTextsTests.Samples.Count);
        }
    }

    [Fact]
    public void Parse_OfMutatedRealTexts_RefusesWithItsOwnTypes()
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(GoldenFiles.Folder, "texts")).Order(StringComparer.Ordinal)];
        for (int i = 0; i < files.Length; i++)
        {
            if (!ProgramTextTests.IsText(files[i])) continue;
            string keyword = ProgramTextTests.KeywordOf(Path.GetFileName(files[i]));
            string text = File.ReadAllText(files[i]);
            Run(100 + i, files[i].EndsWith(".json", StringComparison.Ordinal) ? JsonNode.Parse(text)!.ToJsonString() : text, mutated =>
            {
                PictureFileContent content = PictureTextsTests.Content((keyword, mutated));
                PictureTexts.Find(content);
                PictureTexts.Parse(content);
            }, files.Length);
        }
    }

    private static void Run(int seed, string text, Action<string> parse, int parts = 1)
    {
        var random = new Random(seed);
        for (int i = 0; i < Math.Max(1, Count / parts); i++)
        {
            string mutated = Mutate(random, text);
            try
            {
                parse(mutated);
            }
            catch (PictureFileException)
            {
                // Refused, with what was found, expected and to be done.
            }
            catch (Exception exception)
            {
                Assert.Fail($"mutation {i} of seed {seed}: {exception}\n{mutated}");
            }
        }
    }

    private static string Mutate(Random random, string text)
    {
        // Half of them stay JSON, so that they get beyond its reader.
        if (text.StartsWith('{') && random.Next(2) == 0) return MutateNode(random, text);
        var builder = new StringBuilder(text);
        for (int changes = random.Next(1, 4); changes > 0 && builder.Length > 0; changes--)
        {
            int at = random.Next(builder.Length), length = Math.Min(random.Next(1, 12), builder.Length - at);
            switch (random.Next(7))
            {
                case 0:
                    builder.Remove(at, length);
                    break;
                case 1:
                    builder.Insert(at, builder.ToString(at, length));
                    break;
                case 2:
                    builder[at] = (char)random.Next(1, 128);
                    break;
                case 3:
                    builder[at] = (char)random.Next(0xD800, 0xE000);
                    break;
                case 4:
                    builder.Insert(at, Values[random.Next(Values.Length)]);
                    break;
                case 5:
                    builder.Insert(at, new string("[{(\"9-"[random.Next(6)], random.Next(1, 300)));
                    break;
                default:
                    builder.Length = at;
                    break;
            }
        }

        return builder.ToString();
    }

    private static string MutateNode(Random random, string text)
    {
        JsonNode root = JsonNode.Parse(text)!;
        for (int changes = random.Next(1, 3); changes > 0; changes--)
        {
            var objects = new List<JsonObject>();
            Collect(root, objects);
            JsonObject chosen = objects[random.Next(objects.Count)];
            if (chosen.Count == 0) continue;
            string name = chosen.ElementAt(random.Next(chosen.Count)).Key;
            if (random.Next(4) == 0) chosen.Remove(name);
            else chosen[name] = JsonNode.Parse(Values[random.Next(Values.Length)]);
        }

        string changed = root.ToJsonString().Replace(Surrogate, "\"\\ud800\"", StringComparison.Ordinal);
        // A member twice, which a node cannot hold.
        int comma = changed.IndexOf(',', StringComparison.Ordinal);
        return random.Next(10) == 0 && comma > 0 ? changed.Insert(1, changed[1..(comma + 1)]) : changed;
    }

    private static void Collect(JsonNode? node, List<JsonObject> objects)
    {
        if (node is JsonArray list) foreach (JsonNode? item in list) Collect(item, objects);
        if (node is not JsonObject parent) return;
        objects.Add(parent);
        foreach ((_, JsonNode? member) in parent) Collect(member, objects);
    }
}
