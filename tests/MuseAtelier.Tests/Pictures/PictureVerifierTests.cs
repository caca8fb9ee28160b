using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

public sealed class PictureVerifierTests(NarrowAtelier narrow)
{
    private static readonly PictureRequest Request = new() { Prompt = "starry night", Width = 256, Height = 256, Steps = 3, Seed = 11 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // Which tiles a plan takes depends on the budget of that day: the record says which they were.
    [Fact]
    public async Task VerifyAsync_OfAPictureDecodedInTiles_DecodesInTheSame()
    {
        using var folder = new TemporaryFolder();
        var tile = new TileSize(32, 40);
        PictureRequest request = Request with { Width = 384, Height = 320, Steps = 1 };
        await using (Atelier atelier = await Atelier.OpenAsync(
            NarrowAtelier.Checkpoint, TestAtelier.Options with { VaeTiling = VaeTiling.Tiled, VaeTile = tile }, cancellationToken: Stop))
            PictureFile.Write(await atelier.GenerateAsync(request, null, Stop), folder["tiled.png"]);

        PictureRecord record = PictureFile.Read(folder["tiled.png"]).ReadRecord();
        Assert.Equal(tile, record.Engine.VaeTile);
        await using Atelier suited = await Atelier.OpenAsync(
            NarrowAtelier.Checkpoint, PictureVerifier.Suit(record, TestAtelier.Options), cancellationToken: Stop);
        Assert.Equal(VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(suited, folder["tiled.png"], null, Stop)).Outcome);
        await using Atelier whole = await Atelier.OpenAsync(
            NarrowAtelier.Checkpoint, TestAtelier.Options with { VaeTiling = VaeTiling.Whole }, cancellationToken: Stop);
        Assert.NotEqual(VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(whole, folder["tiled.png"], null, Stop)).Outcome);
    }

    // Every member that changes how a picture is painted must come back from its file.
    [Fact]
    public async Task VerifyAsync_OfARequestWithEveryMember_PaintsTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        Atelier atelier = narrow.Second;
        PictureRequest request = Request with
        {
            Prompt = "(starry:1.2) night",
            NegativePrompt = "[fog]",
            Emphasis = PromptEmphasis.NoNorm,
            CommaBacktrack = 3,
            ClipSkip = 3,
            Eta = 0.5f,
            Dialect = SamplingDialect.A1111,
            Prediction = ModelPrediction.Epsilon,
            VariationSeed = 5,
            VariationStrength = 0.25f,
            GuidanceRescale = 0.5f,
            GuidanceFrom = 0.2f,
            GuidanceTo = 0.9f,
            Schedule = new NoiseSchedule { Timesteps = new TimestepList(999, 600, 200) },
        };
        PictureFile.Write(await atelier.GenerateAsync(request, null, Stop), folder["a.png"]);
        PictureVerification verification = await PictureVerifier.VerifyAsync(atelier, folder["a.png"], null, Stop);
        Assert.Equal(request, verification.Record.Request);
        Assert.Equal(VerificationOutcome.SameBytes, verification.Outcome);
    }

    [Fact]
    public async Task VerifyAsync_OfPictures_TellsWhatBecameOfThem()
    {
        using var folder = new TemporaryFolder();
        await using Atelier atelier = await Atelier.OpenAsync(
            NarrowAtelier.Checkpoint, TestAtelier.Options with { VaeTiling = VaeTiling.Whole }, cancellationToken: Stop);
        Picture picture = await atelier.GenerateAsync(Request, null, Stop);
        Assert.Equal(4, picture.Provenance.StepHashes.Count);
        Assert.Equal(4, picture.Provenance.StepHashes.Select(step => step.Latents).Distinct().Count());
        Assert.Null(picture.Provenance.StepHashes[^1].Noise);

        foreach (string extension in (string[])["png", "jpg", "webp", "avif"])
        {
            string path = folder[$"same.{extension}"];
            PictureFile.Write(picture, path);
            PictureVerification same = await PictureVerifier.VerifyAsync(atelier, path, null, Stop);
            Assert.Equal(VerificationOutcome.SameBytes, same.Outcome);
            Assert.True(same.Holds);
            Assert.Empty(same.Changes);
        }

        // Another encoder: the record says PNG, the file is a JPEG of less quality.
        PictureRecord record = PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png));
        PictureVerification encoded = await VerifyAsync(
            atelier, folder["encoded.jpg"], picture.Pixels, new RecordedEncoding(PictureFormat.Jpeg, 70), record.ToJson());
        Assert.Equal(VerificationOutcome.SameLatents, encoded.Outcome);
        Assert.InRange(encoded.LargestDifference!.Value, 1, 255);
        Assert.True(encoded.Holds);

        // A changed picture under its old record.
        byte[] changed = picture.Pixels.ToArray();
        for (int i = 0; i < changed.Length / 4; i++) changed[i] ^= 0x80;
        PictureVerification other = await VerifyAsync(
            atelier, folder["changed.png"], changed, new RecordedEncoding(PictureFormat.Png), record.ToJson());
        Assert.Equal(VerificationOutcome.OtherPicture, other.Outcome);
        Assert.Equal(128, other.LargestDifference);
        Assert.False(other.Holds);

        // A run that parted in the second step's latents, and one that began with other noise.
        PictureVerification parted = await VerifyAsync(
            atelier, folder["parted.png"], changed, new RecordedEncoding(PictureFormat.Png), Bend(record, "latents", 2));
        Assert.Equal((VerificationOutcome.Diverged, 2, false), (parted.Outcome, parted.DivergesAtStep, parted.NoiseDiverges));
        Assert.Equal(128, parted.LargestDifference);
        PictureVerification noise = await VerifyAsync(
            atelier, folder["noise.png"], picture.Pixels, new RecordedEncoding(PictureFormat.Png), Bend(record, "noise", 0));
        Assert.Equal((VerificationOutcome.Diverged, 0, true), (noise.Outcome, noise.DivergesAtStep, noise.NoiseDiverges));

        // Another model, and one that ran elsewhere.
        JsonNode foreign = JsonNode.Parse(record.ToJson())!;
        foreign["engine"]!["device"] = "abacus";
        PictureVerification moved = await VerifyAsync(
            atelier, folder["moved.png"], picture.Pixels, new RecordedEncoding(PictureFormat.Png), foreign.ToJsonString());
        Assert.Equal(VerificationOutcome.SameBytes, moved.Outcome);
        Assert.Contains("abacus", Assert.Single(moved.Changes), StringComparison.Ordinal);
        foreign["model"]!["sha256"] = new string('0', 64);
        PictureVerification model = await VerifyAsync(
            atelier, folder["model.png"], picture.Pixels, new RecordedEncoding(PictureFormat.Png), foreign.ToJsonString());
        Assert.Equal(VerificationOutcome.AnotherModel, model.Outcome);
        Assert.False(model.Holds);
    }

    [Fact]
    public async Task VerifyAsync_OfARecordThatIsUnpaintableOrMissing_Throws()
    {
        using var folder = new TemporaryFolder();
        Atelier atelier = narrow.Second;
        Picture picture = await narrow.ReferenceAsync(Request);
        PictureRecord record = PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png));
        JsonNode unpaintable = JsonNode.Parse(record.ToJson())!;
        unpaintable["request"]!["width"] = 300;
        await Assert.ThrowsAsync<PictureSizeException>(() =>
            VerifyAsync(atelier, folder["size.png"], picture.Pixels, new RecordedEncoding(PictureFormat.Png), unpaintable.ToJsonString()));
        PictureFile.Write(picture, folder["bare.png"], new PictureFileOptions { Metadata = MetadataLevel.Parameters });
        await Assert.ThrowsAsync<PictureRecordMissingException>(() => PictureVerifier.VerifyAsync(atelier, folder["bare.png"], null, Stop));
    }

    [Fact]
    public async Task VerifyAsync_OfAPictureOfAPass_PaintsItInItsPlaceAgain()
    {
        using var folder = new TemporaryFolder();
        await using Atelier atelier = await Atelier.OpenAsync(
            NarrowAtelier.Checkpoint, TestAtelier.Options with { VaeTiling = VaeTiling.Whole }, cancellationToken: Stop);
        int number = 0;
        await foreach (Picture picture in atelier.GenerateManyAsync(Request, 2, 2, cancellationToken: Stop))
        {
            string path = folder[$"{++number}.png"];
            PictureFile.Write(picture, path);
            Assert.Equal(new BatchSlot(2, number - 1), PictureFile.Read(path).ReadRecord().Engine.BatchSlot);
            PictureVerification verification = await PictureVerifier.VerifyAsync(atelier, path, null, Stop);
            Assert.Equal(VerificationOutcome.SameBytes, verification.Outcome);
            // The plan is on record too, and that of another number of pictures takes another peak.
            Assert.Empty(verification.Changes);
        }
    }

    [Fact]
    public async Task VerifyAsync_OfAStreamAndOfMemory_ComparesTheirBytes()
    {
        Atelier atelier = narrow.Second;
        using Picture picture = await atelier.GenerateAsync(Request with { Steps = 1 }, null, Stop);
        byte[] file = PictureFile.Encode(picture, PictureFormat.WebP);
        await using var network = new NetworkStream(file, 1000, isAsyncOnly: true);
        Assert.Equal(VerificationOutcome.SameBytes, (await PictureVerifier.VerifyAsync(atelier, network, null, Stop)).Outcome);
        // The same picture in other bytes.
        byte[] longer = [.. file, 0];
        PictureVerification other = await PictureVerifier.VerifyAsync(atelier, longer, null, Stop);
        Assert.Equal(VerificationOutcome.SameLatents, other.Outcome);
    }

    private static string Bend(PictureRecord record, string hashes, int index)
    {
        JsonNode bent = JsonNode.Parse(record.ToJson())!;
        bent["hashes"]![hashes]![index] = "0000000000000000";
        return bent.ToJsonString();
    }

    private static async Task<PictureVerification> VerifyAsync(
        Atelier atelier, string path, ReadOnlyMemory<byte> pixels, RecordedEncoding encoding, string json)
    {
        MetadataTexts texts = MetadataTexts.Of(PictureRecord.Parse(path, json), json);
        await File.WriteAllBytesAsync(path, Encoded.Picture(path, pixels, Request.Width, Request.Height, encoding, texts), Stop);
        return await PictureVerifier.VerifyAsync(atelier, path, null, Stop);
    }
}
