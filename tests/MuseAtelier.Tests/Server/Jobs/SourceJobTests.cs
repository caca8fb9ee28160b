using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Jobs.Journal;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Server.Uploads;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>Jobs that are painted from pictures: what the queue holds, what the engine gets, and what a restart does.</summary>
public sealed class SourceJobTests : IDisposable
{
    private readonly MemoryGallery _gallery = new();
    private readonly SteppedAtelier _atelier = new();

    private static PictureLora InkLora { get; } =
        new() { Path = "/loras/ink.safetensors", Strength = 0.5f, TextStrength = -1, Sha256 = new string('a', 64), ShortHash = "abc" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gallery.Dispose();

    [Fact]
    public async Task AJob_HasDigestsAlone_AndTheEngineGetsPixels()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        JobRequest request = Ask(setup.Uploads);
        string id = (await setup.Board.AcceptAsync(request, Token)).Id;
        SteppedAtelier.Painting painting = await _atelier.NextAsync();
        PictureSource source = painting.Request.Source!;
        Assert.True(source.Image.HasPixels && source.Mask!.Image.HasPixels);
        // Two requests are equal if the digests of their pictures are.
        Assert.Equal(request.Picture, painting.Request);
        Assert.False(setup.Board.Find(id)!.Request.Picture.Source!.Image.HasPixels);
        painting.Finish();
        await setup.UntilAsync(id, job => job.State == JobState.Done);
    }

    [Fact]
    public async Task ARestart_PaintsFromTheSamePictures()
    {
        JobRequest request;
        await using (BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery))
        {
            request = Ask(setup.Uploads);
            await setup.Board.AcceptAsync(request, Token);
            await _atelier.NextAsync();
        }

        await using BoardSetup again = await BoardSetup.StartAsync(_atelier, _gallery);
        SteppedAtelier.Painting painting = await _atelier.NextAsync();
        Assert.Equal(request.Picture, painting.Request);
        Assert.True(painting.Request.Source!.Image.HasPixels);
        // A job that has not ended keeps its pictures.
        again.Uploads.Trim();
        Assert.NotNull(again.Uploads.Find(request.Uploads.Source!));
    }

    [Fact]
    public async Task AJob_WhosePictureIsGoneOrAnother_FailsByName()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        JobRequest request = Ask(setup.Uploads);
        File.Delete(Path.Combine(_gallery.Folder, ".atelier", "uploads", request.Uploads.Source!));
        string gone = (await setup.Board.AcceptAsync(request, Token)).Id;
        Job failed = await setup.UntilAsync(gone, job => job.State == JobState.Failed);
        Assert.Equal("no-such-upload", failed.Problem!.Kind);
        Upload other = setup.Uploads.Add(UploadFilesOf.Picture(number: 2), null);
        JobRequest wrong = request with { Uploads = request.Uploads with { Source = other.Id } };
        string changed = (await setup.Board.AcceptAsync(wrong, Token)).Id;
        failed = await setup.UntilAsync(changed, job => job.State == JobState.Failed);
        Assert.Equal("no-such-upload", failed.Problem!.Kind);
    }

    [Fact]
    public async Task TheJournal_KeepsSourcesAndSecondPasses()
    {
        using var uploads = new UploadStore(new MuseAtelier.Server.Gallery.GalleryFolders(_gallery.Folder), new());
        JobRequest source = Ask(uploads);
        JobRequest[] requests =
        [
            source,
            source with { Picture = source.Picture with { Source = source.Picture.Source! with { Mask = null, Fit = SourceFit.Stretch } } },
            source with { Picture = source.Picture with { Loras = [InkLora, InkLora with { IsFromPrompt = true }], HasFinalLoras = true } },
            source with { Picture = source.Picture with { Loras = [InkLora] }, Embeddings = "digest" },
            WithLoras(source, [InkLora with { IsFromPrompt = true }], []),
            WithLoras(source, [], [InkLora with { IsFromPrompt = true, Strength = 2 }]),
            .. HiresUpscaler.BuiltIn.Append(HiresUpscaler.Model("/models/4x.pth")).Select(upscaler => WithPass(source, upscaler)),
        ];
        await using (var journal = JobJournal.Open(_gallery.Folder))
        {
            foreach ((int index, JobRequest request) in requests.Index())
            {
                await journal.AppendAsync(new JournalEntry
                {
                    Event = JournalEvent.Accepted,
                    Id = $"job{index}",
                    Accepted = DateTimeOffset.UnixEpoch,
                    Request = request,
                });
            }
        }

        await using var again = JobJournal.Open(_gallery.Folder);
        Assert.Equal(requests, again.Restored.Select(job => job.Request));
        // A picture of pixels would take 3 bytes for each of them.
        Assert.InRange(new FileInfo(_gallery.Journal).Length, 1000, 1500 * requests.Length);
    }

    [Fact]
    public void AMaskWithoutWhite_IsRefusedBeforeItsJobIsAccepted()
    {
        using var uploads = new UploadStore(new MuseAtelier.Server.Gallery.GalleryFolders(_gallery.Folder), new());
        string picture = uploads.Add(UploadFilesOf.Picture(), null).Id, black = uploads.Add(UploadFilesOf.Black(), null).Id;
        PictureRequestException refused = Assert.ThrowsAny<PictureRequestException>(() => Check(black, extend: 0));
        Assert.IsType<MaskEmptyException>(refused);
        // Margins are white.
        Check(black, extend: 8);
        Check(uploads.Add(UploadFilesOf.Mask(), null).Id, extend: 0);

        void Check(string mask, int extend)
        {
            using var body = System.Text.Json.JsonDocument.Parse(
                $$"""{"source": {"upload": "{{picture}}", "extend": {"left": {{extend}} }, "mask": {"upload": "{{mask}}"} } }""");
            var fields = new RequestFields(body.RootElement, ["source"]);
            (PictureSource? source, SourceUploads ids) = new SourceFields(uploads, _ => null).Read(fields, basis: null);
            ReferenceRules.ThrowIfUnpaintable(BoardSetup.Ask(1).Picture with { Source = source }, ids);
        }
    }

    [Fact]
    public async Task AStoppedJob_LeavesItsLastPreviewAsAStudy()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        string id = (await setup.AcceptAsync(1, count: 2)).Id;
        SteppedAtelier.Painting first = await _atelier.NextAsync();
        first.Report(1, new LatentPreview(32, 32, new byte[32 * 32 * 3]));
        first.Finish();
        SteppedAtelier.Painting second = await _atelier.NextAsync();
        // The preview of a finished picture is no study of the next one.
        await setup.UntilAsync(id, job => job.Finished == 1);
        second.Report(1, new LatentPreview(32, 32, new byte[32 * 32 * 3]));
        await setup.Board.StopAsync(id);
        Assert.Equal(2, _gallery.Added.Count);
        string study = Assert.Single(_gallery.Added, MuseAtelier.Server.Gallery.GalleryNames.IsStudy);
        Assert.Contains($"{id}-02study", study, StringComparison.Ordinal);
        string other = (await setup.AcceptAsync(2)).Id;
        await _atelier.NextAsync();
        await setup.Board.StopAsync(other);
        Assert.Equal(2, _gallery.Added.Count);
    }

    [Fact]
    public async Task AStop_WhileTheModelOpens_IsToldBeforeItHasEnded()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(_atelier, _gallery);
        var opening = new TaskCompletionSource();
        setup.Shelf.Opening = opening.Task;
        string id = (await setup.AcceptAsync(1)).Id;
        await setup.UntilAsync(id, job => job.State == JobState.Opening);
        Task<Job?> stopping = setup.Board.StopAsync(id);
        Job stopped = await setup.UntilAsync(id, job => job.State == JobState.Stopped);
        Assert.NotNull(stopped.Ended);
        Assert.False(stopping.IsCompleted);
        opening.SetResult();
        Assert.Equal(JobState.Stopped, (await stopping)!.State);
        // The model is open for the next job.
        await setup.AcceptAsync(2);
        Assert.Equal(2ul, (await _atelier.NextAsync()).Request.Seed);
    }

    private static JobRequest WithLoras(JobRequest request, PictureLora[] first, PictureLora[] second)
    {
        JobRequest passes = WithPass(request, HiresUpscaler.Latent);
        HiresPass pass = passes.Picture.Hires! with { Prompt = "<lora:ink:2>", Loras = second, HasFinalLoras = true };
        return passes with { Picture = passes.Picture with { Loras = first, HasFinalLoras = true, Hires = pass } };
    }

    // A picture with a mask has no second pass.
    private static JobRequest WithPass(JobRequest request, HiresUpscaler upscaler) => request with
    {
        Picture = request.Picture with
        {
            Source = request.Picture.Source! with { Mask = null },
            Hires = new HiresPass { Scale = 1.5f, Steps = 3, Upscaler = upscaler, Sampler = SamplerName.Heun, NegativePrompt = "n" },
        },
    };

    private static JobRequest Ask(UploadStore uploads)
    {
        Upload picture = uploads.Add(UploadFilesOf.Picture(), "a.png");
        Upload mask = uploads.Add(UploadFilesOf.Mask(), null);
        MaskImage image = uploads.LoadMask(mask);
        var source = new PictureSource(SourceImage.Reference(picture.Width, picture.Height, picture.Sha256))
        {
            Strength = 0.5f,
            Mask = new InpaintMask(MaskImage.Reference(image.Width, image.Height, image.Sha256)),
        };
        JobRequest request = BoardSetup.Ask(1);
        return request with
        {
            Picture = request.Picture with { Source = source },
            Uploads = new SourceUploads(picture.Id, mask.Id, IsTransparency: false),
        };
    }
}
