using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

/// <summary>Plans for a card, applied to a processor that records what it is asked for.</summary>
public sealed class SessionPoolTests : IDisposable
{
    private readonly ShortBackend _backend = new();
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _pool;

    public SessionPoolTests(NarrowAtelier shared)
    {
        _package = TestAtelier.Options.OpenPackage(shared.Atelier.Model.Package, null, TestContext.Current.CancellationToken);
        _device = _backend.Open(_package, TestAtelier.Options, TestContext.Current.CancellationToken);
        _pool = new SessionPool(_package, _device);
    }

    private ComponentSpec UNet => _package.Manifest.Component(ComponentNames.UNet);

    public void Dispose()
    {
        _pool.Dispose();
        _device.Dispose();
        _package.Dispose();
    }

    [Fact]
    public void Weights_WithoutAPlan_AreAllResident()
    {
        _pool.Weights(UNet);
        Assert.Equal((ComponentNames.UNet, null), _backend.Loaded.Single());
        Assert.True(_pool.MayCapture);
        Assert.Null(_pool.RotationOf(UNet));
    }

    // The cancellation comes after the last check before ONNX Runtime begins, as in the middle of a session that takes seconds.
    [Fact]
    public void For_WhenItsBatchIsCancelled_EndsInTheMiddleAndCreatesTheSessionLater()
    {
        using var cancelling = new CancellationTokenSource();
        _pool.Stopping = cancelling.Token;
        _backend.MakingSession = cancelling.Cancel;
        Assert.Equal(
            cancelling.Token, Assert.ThrowsAny<OperationCanceledException>(() => _pool.For(UNet, UNet.Stages[0])).CancellationToken);
        Assert.Equal(1, _backend.Sessions);
        Assert.ThrowsAny<OperationCanceledException>(() => _pool.For(UNet, UNet.Stages[0]));
        Assert.Equal(1, _backend.Sessions);
        _pool.Stopping = CancellationToken.None;
        Assert.NotEmpty(_pool.For(UNet, UNet.Stages[0]).InputMetadata);
    }

    [Fact]
    public void Apply_OfAPlan_LoadsNothingAndThenWeightsWhereItSays()
    {
        ResidencyPlan plan = Plan(OffloadMode.Stream);
        _pool.Apply(plan);
        Assert.Empty(_backend.Loaded);
        _pool.Weights(UNet);
        ComponentPlan? loaded = _backend.Loaded.Single().Plan;
        Assert.Same(plan.Component(ComponentNames.UNet), loaded);
        Assert.True(loaded!.Count(StagePlacement.Streamed) > 0);
        Assert.NotNull(loaded.Buffer);
    }

    [Fact]
    public void Apply_OfAPlanThatMovesWeights_ReleasesThoseAlone()
    {
        _pool.Apply(Plan(OffloadMode.Resident));
        StageWeights unet = _pool.Weights(UNet);
        StageWeights text = _pool.Weights(_package.Manifest.Component(ComponentNames.ClipL));

        ResidencyPlan plan = Plan(OffloadMode.Stream);
        Assert.Equal(ComponentNames.UNet, Assert.Single(_pool.AffectedBy(plan)).Name);
        _pool.Apply(plan);
        Assert.NotSame(unet, _pool.Weights(UNet));
        Assert.Same(text, _pool.Weights(_package.Manifest.Component(ComponentNames.ClipL)));
    }

    [Fact]
    public void Apply_OfThePlanInForce_ReleasesNothing()
    {
        ResidencyPlan plan = Plan(OffloadMode.Stream);
        _pool.Apply(plan);
        StageWeights weights = _pool.Weights(UNet);
        Assert.Empty(_pool.AffectedBy(plan));
        _pool.Apply(plan);
        Assert.Same(weights, _pool.Weights(UNet));
    }

    [Fact]
    public void Apply_OfAnotherStreamingBuffer_ReleasesTheComponentsThatUseIt()
    {
        ResidencyPlan plan = Plan(OffloadMode.Stream);
        _pool.Apply(plan);
        ResidencyPlan larger = plan with { StreamingBufferBytes = plan.StreamingBufferBytes + 4096 };
        Assert.Equal(ComponentNames.UNet, Assert.Single(_pool.AffectedBy(larger)).Name);
    }

    [Fact]
    public void Apply_OfSessionRotation_BeginsAndEndsItForTheUNetAlone()
    {
        ResidencyPlan rotating = Plan(OffloadMode.Rotate);
        Assert.True(rotating.Decoder.HasRotatingSessions);
        Assert.Contains(_pool.AffectedBy(rotating), component => component.Name == ComponentNames.UNet);
        _pool.Apply(rotating);
        Assert.NotNull(_pool.RotationOf(UNet));
        Assert.All(_package.Manifest.Components.Where(component => component.Name != ComponentNames.UNet), component =>
            Assert.Null(_pool.RotationOf(component)));

        ResidencyPlan resident = Plan(OffloadMode.Resident);
        Assert.Contains(_pool.AffectedBy(resident), component => component.Name == ComponentNames.UNet);
        _pool.Apply(resident);
        Assert.Null(_pool.RotationOf(UNet));
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(false, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, false)]
    public void Apply_OfWhatAPlanKeeps_DecidesWhichArenasAreTrimmed(bool captures, bool keepsArena, bool keepsDecodingArena)
    {
        _pool.Apply(Plan(OffloadMode.Resident) with
        {
            CapturesSteps = captures,
            KeepsArena = keepsArena,
            KeepsDecodingArena = keepsDecodingArena,
        });
        Assert.Equal(captures, _pool.MayCapture);
        Assert.Equal(!keepsArena, _pool.TrimsArenaOf(UNet));
        Assert.Equal(!keepsDecodingArena, _pool.TrimsArenaOf(_package.Manifest.Component(ComponentNames.VaeDecoder)));
        Assert.Equal(!keepsDecodingArena, _pool.TrimsArenaOf(_package.Manifest.Component(ComponentNames.PostProcessing)));
    }

    // Sizes of the processor's package with the costs of a card, so that weights have all places that a card knows.
    private ResidencyPlan Plan(OffloadMode offload) => ResidencyPlanner.Plan(
        ModelSizes.Of(_package.Manifest), new ResidencyRequest { Width = 256, Height = 256, Offload = offload }, DeviceProfile.Hopper);
}
