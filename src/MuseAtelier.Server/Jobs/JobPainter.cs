using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs.Journal;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>
/// Paints the pictures of a job one by one, so that each has the bytes that its seed gives by itself. A finished picture is encoded and
/// written while the next one is painted, at most one ahead.
/// </summary>
/// <param name="gallery">Keeps the pictures.</param>
/// <param name="sources">Loads the pictures that others are painted from.</param>
/// <param name="journal">Receives which pictures are kept.</param>
/// <param name="times">Receives the times of the pictures.</param>
/// <param name="changed">Called when the job has changed.</param>
internal sealed class JobPainter(
    IGallery gallery, JobSources sources, JobJournal journal, PaintTimes times, Action<JobEntry> changed)
{
    // A client that takes no picture for so long must not hold up the jobs of all others.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Paints the pictures that are not finished yet.</summary>
    /// <param name="entry">The job.</param>
    /// <param name="atelier">The open model.</param>
    /// <param name="model">The model's id on the shelf.</param>
    public async Task PaintAsync(JobEntry entry, IAtelier atelier, string model)
    {
        var options = new GenerationOptions { Progress = entry.Progress };
        PictureRequest first = await Task.Run(() => sources.Load(entry.Request), entry.Cancelled);
        Task saving = Task.CompletedTask;
        try
        {
            for (int index = 0; index < entry.Request.Count; index++)
            {
                if (entry.Restored.Contains(index)) continue;
                PictureRequest request = first.InSeries(index);
                entry.Painted = index;
                Picture picture = await atelier.GenerateAsync(request, options, entry.Cancelled);
                entry.Painted = null;
                times.Note(model, picture);
                Task before = saving;
                saving = SaveAsync(entry, picture, index, before);
                // The next one is painted while this one is saved, but not before the last one is.
                await before;
            }
        }
        finally
        {
            // Keeps what is finished, also when the job fails or is stopped.
            await saving;
        }
    }

    /// <summary>Verifies a picture of the gallery.</summary>
    /// <param name="entry">The job.</param>
    /// <param name="atelier">The open model.</param>
    public async Task VerifyAsync(JobEntry entry, IAtelier atelier)
    {
        string path = gallery.PathOf(entry.Request.Verifies!) ?? throw Problems.Make(
            404, "no-such-picture", "The picture that should be verified is not in the gallery any more. Take it back from the trash.");
        RequestSources needed = await Task.Run(() => sources.OfRecord(entry.Request), entry.Cancelled);
        PictureVerification found =
            await PictureVerifier.VerifyWithSourcesAsync(atelier, path, needed, entry.Progress, entry.Cancelled);
        entry.Change(job => job with
        {
            Finished = 1,
            Verification = new JobVerification
            {
                Holds = found.Holds,
                Outcome = found.Outcome.ToString(),
                DivergesAtStep = found.DivergesAtStep,
            },
        });
    }

    private async Task SaveAsync(JobEntry entry, Picture picture, int index, Task before)
    {
        await Task.Yield();
        using (picture)
        {
            await before;
            JobRequest request = entry.Request;
            using ArrayPoolBufferWriter<byte> file = PictureFile.EncodePooled(
                picture, request.Format, new PictureEncodingOptions { Quality = request.Quality });
            string? id = request.IsKept ? await KeepAsync(entry, index, file.WrittenMemory) : null;
            entry.Change(job => job with
            {
                Finished = job.Finished + 1,
                Pictures = id is null ? job.Pictures : [.. job.Pictures, id],
            });
            changed(entry);
            if (entry.Finished is null) return;
            var finished = new FinishedPicture
            {
                Index = index,
                Request = picture.Request,
                File = file.WrittenSpan.ToArray(),
                Format = request.Format,
                Width = picture.Width,
                Height = picture.Height,
                Parameters = ParametersText.Write(picture),
                Model = picture.Model,
                Id = id,
            };
            await entry.Finished(finished).WaitAsync(Patience);
        }
    }

    private async Task<string> KeepAsync(JobEntry entry, int index, ReadOnlyMemory<byte> file)
    {
        string name = gallery.NameOf(entry.Id, entry.Job.Accepted, index, entry.Request.Format);
        // A job that is stopped keeps the pictures that were finished before.
        GalleryPicture kept = await gallery.AddAsync(name, file, CancellationToken.None);
        if (entry.IsJournaled) journal.Append(new JournalEntry { Event = JournalEvent.Picture, Id = entry.Id, Index = index });
        return kept.Id;
    }
}
