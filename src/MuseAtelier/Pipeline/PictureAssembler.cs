using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Pipeline;

/// <summary>Makes a <see cref="Picture"/> of the results of all phases.</summary>
/// <param name="package">The package that paints; borrowed.</param>
/// <param name="device">The device that paints; borrowed.</param>
/// <param name="sessions">The sessions, which have notices about their weights; borrowed.</param>
/// <param name="isWatched">Whether the memory is watched.</param>
internal sealed class PictureAssembler(ModelPackage package, ExecutionDevice device, SessionPool sessions, bool isWatched)
{
    /// <summary>The model that paints.</summary>
    public ModelInfo Model { get; } = ModelOf(package);

    /// <summary>Makes a picture.</summary>
    /// <param name="batch">The picture's batch.</param>
    /// <param name="picture">The picture's index in the batch.</param>
    /// <param name="decoded">The pixels; the picture owns them from now on.</param>
    /// <param name="latents">[4, h, w] fp32 final latents; the picture owns them from now on.</param>
    /// <param name="timings">The time of each part.</param>
    /// <param name="decoding">The memory of the picture's decoding; null if it is not decoded.</param>
    /// <param name="hashes">Digests of the picture's start and of its steps.</param>
    public Picture Assemble(
        PictureBatch batch, int picture, VaeOutput decoded, MemoryOwner<float> latents, PictureTimings timings, PhaseMemory? decoding,
        IReadOnlyList<StepHash> hashes)
    {
        PictureRequest request = batch.Requests[picture];
        (int width, int height) = batch.Source is { PastesBack: true, Prepared: { } source }
            ? (source.ResultWidth, source.ResultHeight)
            : (request.Width, request.Height);
        (width, height) = request.Frame?.CanvasOf(width, height) ?? (width, height);
        bool isRescued = decoded.InFp32 && !batch.Plan.DecodesInFp32;
        string[] rescue = isRescued ? ["The decoder overflowed in fp16; this picture was decoded in fp32."] : [];
        long? arenaUsedBytes = isWatched ? device.ArenaStatistics?.Read()?.MostInUse : null;
        return new Picture
        {
            Width = width,
            Height = height,
            Pixels = decoded.Pixels.Memory,
            Request = request,
            Model = Model,
            Notices = [.. batch.Notices, .. sessions.Notices, .. rescue],
            Timings = timings,
            Memory = new PictureMemory(batch.Plan, decoding is null ? batch.Memory : [.. batch.Memory, decoding], arenaUsedBytes),
            Latents = latents.Memory,
            Owners = [decoded.Pixels, latents],
            Provenance = ProvenanceOf(batch, picture, isRescued, hashes),
            DecodedInFp32 = decoded.InFp32,
        };
    }

    private static ModelInfo ModelOf(ModelPackage package)
    {
        PackageManifest manifest = package.Manifest;
        return new ModelInfo(manifest.Checkpoint.Name, manifest.Checkpoint.Sha256, package.Folder)
        {
            Title = manifest.Checkpoint.Title,
            License = manifest.Checkpoint.License,
            Vae = manifest.Vae is { } vae ? new UsedVae { Name = vae.Name, Sha256 = vae.Sha256 } : null,
            Parameters = manifest.Model.Parameters,
        };
    }

    private PictureProvenance ProvenanceOf(PictureBatch batch, int picture, bool isRescued, IReadOnlyList<StepHash> hashes)
    {
        ResidencyPlan plan = batch.Plan;
        TilePlan? tiles = isRescued ? plan.DecodingInFp32 : plan.Decoding;
        return new PictureProvenance
        {
            Engine = PictureProvenance.CurrentEngine,
            Runtime = PictureProvenance.CurrentRuntime,
            Device = device.Description,
            Plan = $"{plan.Offload}, {ByteSize.Format(plan.PeakBytes)}",
            BatchSlot = batch.Slot with { Index = batch.Slot.Index + picture },
            VaeTile = tiles is { IsWhole: false } ? new TileSize(tiles.TileHeight, tiles.TileWidth) : null,
            GraphsSha256 = package.GraphsSha256,
            Embeddings = [.. batch.Prompts.Embeddings.Select(used => new UsedEmbedding { Name = used.Name, Sha256 = used.Sha256 })],
            Prediction = new UsedPrediction(batch.Prediction.Used, batch.Prediction.Reason),
            Loras = batch.Loras,
            StepHashes = hashes,
        };
    }
}
