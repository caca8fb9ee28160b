using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Requests;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>The seconds that jobs are expected to take.</summary>
public sealed class JobEstimatesTests
{
    private static readonly PictureRequest Guided = new() { Prompt = "a", Width = 512, Height = 512, Steps = 10 };

    [Fact]
    public void Times_FollowFromThoseOfPastPictures()
    {
        var times = new PaintTimes();
        Assert.Null(times.Of("one", Guided));
        times.Note("one", Painted(Guided, denoising: 20, others: 3));
        // Ten steps for both prompts are twenty units.
        Assert.Equal(23, times.Of("one", Guided)!.Value.Of(PaintTimes.WorkOf(Guided)), 6);
        PictureRequest unguided = Guided with { GuidanceScale = 1 };
        Assert.Equal(13, times.Of("one", unguided)!.Value.Of(PaintTimes.WorkOf(unguided)), 6);
        PictureRequest larger = Guided with { Width = 1024 };
        Assert.Equal(46, times.Of("one", larger)!.Value.Of(PaintTimes.WorkOf(larger)), 6);
        Assert.Null(times.Of("another", Guided));
    }

    [Fact]
    public void Jobs_ThatWait_TakeThoseBeforeThemAsWell()
    {
        var times = new PaintTimes();
        times.Note("miniature", Painted(Guided, denoising: 20, others: 3));
        var estimates = new JobEstimates(new OneShelf(new SteppedAtelier()), times);
        IReadOnlyList<Job> jobs = estimates.Of(running: null, [Waiting("a", count: 1), Waiting("b", count: 2)]);
        Assert.Equal([0, 1], jobs.Select(job => job.Place));
        Assert.Equal([23.0, 69.0], jobs.Select(job => Math.Round(job.SecondsLeft!.Value, 6)));
        IReadOnlyList<Job> unknown = new JobEstimates(new OneShelf(new SteppedAtelier()), new PaintTimes()).Of(null, [Waiting("a", 1)]);
        Assert.Null(unknown[0].SecondsLeft);
    }

    private static JobEntry Waiting(string id, int count) => new(
        new Job
        {
            Id = id,
            Request = new JobRequest { Picture = Guided, Count = count },
            State = JobState.Waiting,
            Accepted = DateTimeOffset.UnixEpoch,
        },
        isJournaled: true);

    private static Picture Painted(PictureRequest request, double denoising, double others)
    {
        Picture picture = SamplePicture.Of(request, 8, 8);
        return new Picture
        {
            Width = picture.Width,
            Height = picture.Height,
            Pixels = picture.Pixels,
            Request = request,
            Model = picture.Model,
            Notices = [],
            Timings = new PictureTimings(TimeSpan.FromSeconds(others), TimeSpan.FromSeconds(denoising), TimeSpan.Zero)
            {
                Steps = [],
                PostProcessing = default,
                DenoisingManagedBytes = 0,
            },
            Latents = picture.Latents,
            Provenance = picture.Provenance,
        };
    }
}
