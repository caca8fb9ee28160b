using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MuseAtelier.Server;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Models;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Models;

public sealed class ModelShelfTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-shelf-").FullName;
    private readonly List<ShelfAnswer> _told = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Models_OfAFolder_AreListedByNames_WithTheirProblems()
    {
        Link("second.safetensors");
        Link("kinds/first.safetensors");
        Link(".hidden/third.safetensors");
        File.WriteAllText(Path.Combine(_folder, "damaged.safetensors"), "no model");
        File.WriteAllText(Path.Combine(_folder, "readme.txt"), "no model either");
        await using ModelShelf shelf = Open();
        Assert.Equal(["damaged", "first", "second"], shelf.Models.Select(model => model.Id));
        Assert.Equal("bad-model", shelf.Models[0].Problem!.Kind);
        Assert.All(shelf.Models.Skip(1), model => Assert.Null(model.Problem));
        Assert.Equal("Miniature", shelf.Models[1].Title);
        Assert.Equal("first", shelf.Current!.Id);
    }

    [Fact]
    public async Task Models_InSeveralFiles_AreListedOnce()
    {
        Link("first.safetensors");
        SplitModel.WriteDiffusers(Path.Combine(_folder, "my.model"));
        await using ModelShelf shelf = Open();
        Assert.Equal(["first", "my.model"], shelf.Models.Select(model => model.Id));
        Assert.All(shelf.Models, model => Assert.Null(model.Problem));
    }

    [Fact]
    public async Task Models_OfOneName_HaveIdsOfTheirOwn()
    {
        Link("a/model.safetensors");
        Link("b/model.safetensors");
        await using ModelShelf shelf = Open();
        Assert.Equal(["model", "model-2"], shelf.Models.Select(model => model.Id));
    }

    [Fact]
    public async Task Find_TakesNamesTitlesAndDigests()
    {
        Link("first.safetensors");
        await using ModelShelf shelf = Open();
        foreach (string name in (string[])["first", "FIRST.safetensors", "miniature"]) Assert.Equal("first", shelf.Find(name)?.Id);
        Assert.Null(shelf.Find("firs"));
        Assert.Null(shelf.Find("../first"));
        string? digest = shelf.Models[0].Sha256;
        if (digest is not null) Assert.Equal("first", shelf.Find(digest[..10].ToUpperInvariant())?.Id);
    }

    [Fact]
    public async Task Choose_MakesAModelTheCurrentOne()
    {
        Link("first.safetensors");
        Link("second.safetensors");
        await using ModelShelf shelf = Open();
        shelf.Choose("second");
        Assert.Equal("second", shelf.Current!.Id);
        Assert.Equal(["second"], _told.Last().Models.Where(model => model.IsCurrent).Select(model => model.Id));
        var refused = Assert.Throws<ServerRequestException>(() => shelf.Choose("third"));
        Assert.Equal((404, "no-such-model"), (refused.Status, refused.Problem.Kind));
        Assert.Equal("second", shelf.Current!.Id);
    }

    [Fact]
    public async Task Refresh_FindsNewFiles_AndForgetsThoseThatAreGone()
    {
        Link("first.safetensors");
        await using ModelShelf shelf = Open();
        shelf.Choose("first");
        Link("second.safetensors");
        File.Delete(Path.Combine(_folder, "first.safetensors"));
        shelf.Refresh();
        Assert.Equal(["second"], shelf.Models.Select(model => model.Id));
        Assert.Equal("second", shelf.Current!.Id);
    }

    [Fact]
    public async Task OpenAsync_OfAnotherModel_ClosesTheFirst()
    {
        Link("first.safetensors");
        Link("second.safetensors");
        await using ModelShelf shelf = Open();
        Assert.Null(shelf.SecondsToOpen(shelf.Models[0]));
        IAtelier first = await shelf.OpenAsync(shelf.Models[0], null, TestContext.Current.CancellationToken);
        Assert.Same(first, await shelf.OpenAsync(shelf.Models[0], null, TestContext.Current.CancellationToken));
        Assert.Equal(0, shelf.SecondsToOpen(shelf.Models[0]));
        Assert.NotNull(shelf.Models[0].Sha256);
        Assert.NotNull(shelf.Sanctum.Device);
        await shelf.OpenAsync(shelf.Models[1], null, TestContext.Current.CancellationToken);
        Assert.Null(shelf.Opened(shelf.Models[0]));
        Assert.False(first.Status.AcceptsRequests);
        Assert.True(shelf.SecondsToOpen(shelf.Models[0]) > 0);
        Assert.Equal("second", shelf.Current!.Id);
        Assert.Equal([(false, true)], _told.TakeLast(1).Select(answer => (answer.Models[0].IsOpen, answer.Models[1].IsOpen)));
    }

    [Fact]
    public async Task OpenAsync_WithinABudgetForBoth_KeepsTheFirst_AndSharesTheBudget()
    {
        Link("first.safetensors");
        Link("second.safetensors");
        long budget = MemoryBudget.Parse("64GiB").Bytes;
        await using ModelShelf shelf = Open(TestAtelier.Options with { HostMemory = budget });
        IAtelier first = await shelf.OpenAsync(shelf.Models[0], null, TestContext.Current.CancellationToken);
        IAtelier second = await shelf.OpenAsync(shelf.Models[1], null, TestContext.Current.CancellationToken);
        Assert.Same(first, shelf.Opened(shelf.Models[0]));
        Assert.InRange(first.Status.BudgetBytes + second.Status.BudgetBytes, budget / 2, budget);
        Assert.Equal(budget, shelf.Sanctum.Budget);
    }

    [Fact]
    public async Task OpenAsync_OfAModelThatIsDamaged_FailsWithItsProblem_AndMayBeTriedAgain()
    {
        File.WriteAllText(Path.Combine(_folder, "model.safetensors"), "no model");
        await using ModelShelf shelf = Open();
        var failure = await Assert.ThrowsAsync<ServerRequestException>(
            () => shelf.OpenAsync(shelf.Models[0], null, TestContext.Current.CancellationToken));
        Assert.Equal(422, failure.Status);
        Assert.Equal(failure.Problem, shelf.Models[0].Problem);
        File.Delete(Path.Combine(_folder, "model.safetensors"));
        Link("model.safetensors");
        await shelf.OpenAsync(shelf.Models[0], null, TestContext.Current.CancellationToken);
        Assert.Null(shelf.Models[0].Problem);
    }

    [Fact]
    public async Task OpenAsync_ThatIsCancelled_OpensNothing()
    {
        Link("first.safetensors");
        await using ModelShelf shelf = Open();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shelf.OpenAsync(shelf.Models[0], null, stop.Token));
        Assert.Null(shelf.Opened(shelf.Models[0]));
        Assert.Null(shelf.Models[0].Problem);
    }

    [Fact]
    public async Task SanctumWatch_PublishesTheMemory_OnceItChanged()
    {
        Link("first.safetensors");
        await using ModelShelf shelf = Open();
        var hub = new EventHub(new ServerLimits());
        using EventReader reader = hub.Open();
        // A new reader begins with the state, not with events.
        Assert.True(reader.TakeBehind());
        using var watch = new SanctumWatch(shelf, hub);
        watch.Look();
        Assert.Null(reader.TryRead());
        await shelf.OpenAsync(shelf.Models[0], null, TestContext.Current.CancellationToken);
        watch.Look();
        ServerEvent told = reader.TryRead()!;
        Assert.Equal("sanctum", told.Type);
        using JsonDocument data = JsonDocument.Parse(told.Data);
        Assert.Equal(shelf.Sanctum.Budget, data.RootElement.GetProperty("budget").GetInt64());
    }

    private void Link(string name)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, TestAtelier.Checkpoint);
    }

    private ModelShelf Open(AtelierOptions? atelier = null) => new(
        RunningServer.Options(_folder) with { Models = [_folder] },
        atelier ?? TestAtelier.Options,
        answer =>
        {
            lock (_told) _told.Add(answer);
        },
        NullLogger<ModelShelf>.Instance);
}
