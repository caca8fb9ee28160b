using MuseAtelier.Pictures;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Jobs;

/// <summary>
/// Gives requests the pixels of their sources and masks, and the files of their LoRAs, when they are about to be painted.
/// </summary>
/// <param name="uploads">The pictures.</param>
/// <param name="upscalers">The models that enlarge pictures.</param>
/// <param name="loras">The LoRAs.</param>
/// <param name="embeddings">The embeddings.</param>
internal sealed class JobSources(UploadStore uploads, UpscalerShelf upscalers, LoraCatalog loras, EmbeddingShelf embeddings)
{
    /// <summary>Begins to delete uploads that no job needs.</summary>
    /// <param name="needed">The ids that jobs need at this moment; called from any thread.</param>
    public void CleanUp(Func<IEnumerable<string>> needed) => uploads.CleanUp(needed);

    /// <summary>What painting a recorded picture again needs, as far as it is kept.</summary>
    /// <param name="job">The job, which verifies the picture.</param>
    public RequestSources OfRecord(JobRequest job)
    {
        Upload? source = Find(job.Uploads.Source), mask = Find(job.Uploads.Mask);
        return new RequestSources
        {
            Source = source is null ? null : uploads.LoadSource(source),
            Mask = mask is null ? null : uploads.LoadMask(mask),
            LoraFolders = loras.Folders,
            // A record is only a file: it names a model of the folder, not a path.
            UpscalerPath = job.Picture.Hires is { } hires ? upscalers.Find(UpscalerShelf.NameOf(hires.Upscaler))?.Path : null,
        };
    }

    /// <summary>The request of a job with the pixels of its source and its mask, and with its LoRAs where they are now.</summary>
    /// <exception cref="ServerRequestException">
    /// A picture is not kept any more, a LoRA or an embedding is not in the folders any more, or one of them is another one than when the
    /// job was accepted.
    /// </exception>
    public PictureRequest Load(JobRequest job)
    {
        PictureRequest request = job.Picture with { Loras = [.. job.Picture.Loras.Select(loras.Again)] };
        if (request.Hires is { Loras: { } later } pass)
            request = request with { Hires = pass with { Loras = [.. later.Select(loras.Again)] } };
        if (job.Embeddings is { } known && embeddings.FingerprintOf(request) != known) throw EmbeddingsChanged();
        if (request.Source is not { } source) return request;
        SourceImage image = uploads.LoadSource(UploadOf(job.Uploads.Source));
        Require(image.Sha256 == source.Image.Sha256);
        PictureSource loaded = source with { Image = image };
        if (source.Mask is { } mask)
        {
            MaskImage pixels = job.Uploads.IsTransparency
                ? MaskImage.OfTransparency(image)
                : uploads.LoadMask(UploadOf(job.Uploads.Mask));
            Require(pixels.Sha256 == mask.Image.Sha256);
            loaded = loaded with { Mask = mask with { Image = pixels } };
        }

        return request with { Source = loaded };
    }

    private static ServerRequestException EmbeddingsChanged() => Problems.Make(
        404,
        "no-such-embedding",
        "An embedding that the prompts name is gone, or is another file than when the job was accepted. Put that file back, or ask anew.");

    private Upload? Find(string? id) => id is null ? null : uploads.Find(id);

    private Upload UploadOf(string? id) => Find(id) ?? throw UploadProblems.NoSuchUpload("source");

    // A restarted job paints the same picture, or none.
    private static void Require(bool isSame)
    {
        if (!isSame) throw UploadProblems.NoSuchUpload("source");
    }
}
