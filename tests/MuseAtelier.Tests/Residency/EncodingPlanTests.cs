using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Residency;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Residency;

/// <summary>Plans of pictures that are painted from others, of the largest pictures, and of two passes.</summary>
public sealed class EncodingPlanTests
{
    private const long Gibibyte = 1L << 30;

    private static readonly ResidencyRequest Largest = new() { Width = 4096, Height = 4096 };

    [Theory]
    [InlineData(Lowering.Cuda, 5)]
    [InlineData(Lowering.Portable, 24)]
    public void Plan_ThatEncodes_CountsTheEncoderInItsPhaseAlone(Lowering lowering, int gibibytes)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        // No placement that leaves room for the encoder in every phase is as fast.
        var request = new ResidencyRequest { Budget = gibibytes * Gibibyte, Offload = RequestedOffload(lowering) };
        ResidencyPlan without = ResidencyPlanner.Plan(model, request, device);
        ResidencyPlan with = ResidencyPlanner.Plan(model, request with { EncodesSource = true }, device);
        Assert.Null(without.Encoding);
        Assert.DoesNotContain(without.Phases, phase => phase.Phase == PlanPhase.Encoding);
        Assert.Equal(with.Decoding, with.Encoding);
        Assert.All(with.Phases, phase => Assert.Equal(
            phase.Phase == PlanPhase.Encoding, phase.Shares.Any(share => share.Name == "encoder")));
        Assert.All(
            with.Component(ComponentNames.VaeEncoder).Stages, stage => Assert.Equal(StagePlacement.RotatingSession, stage.Placement));
        Assert.True(with.Estimate.Encoding > 0);
        Assert.Equal(without.Estimate.Picture + with.Estimate.Encoding, with.Estimate.Picture, without.Estimate.Picture / 50);
        Assert.Contains(with.Explanation, sentence => sentence.Contains("is encoded whole", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_ThatEncodesOnACardWithRoom_KeepsTheEncoderInEveryPhase()
    {
        var request = new ResidencyRequest { Budget = 24 * Gibibyte };
        ResidencyPlan without = ResidencyPlanner.Plan(FullSizeModel.Cuda, request, DeviceProfile.Hopper);
        ResidencyPlan with = ResidencyPlanner.Plan(FullSizeModel.Cuda, request with { EncodesSource = true }, DeviceProfile.Hopper);
        Assert.True(with.KeepsEncoder);
        Assert.False(without.KeepsEncoder);
        Assert.All(with.Component(ComponentNames.VaeEncoder).Stages, stage => Assert.Equal(StagePlacement.Session, stage.Placement));
        long held = SharesOf(with, PlanPhase.Denoising, "encoder");
        Assert.True(held > 0);
        Assert.All(with.Phases, phase => Assert.True(SharesOf(with, phase.Phase, "encoder") >= held));
        // Its working memory is not kept.
        Assert.Equal(
            SharesOf(without, PlanPhase.Denoising, "working memory"), SharesOf(with, PlanPhase.Denoising, "working memory"));
        Assert.True(SharesOf(with, PlanPhase.Encoding, "working memory") > SharesOf(with, PlanPhase.Denoising, "working memory"));
        // An estimate of the encoding and of growing its working memory again, without loading the encoder.
        Assert.InRange(with.Estimate.Encoding, 0.02, 0.06);
        Assert.Contains(with.Explanation, sentence => sentence.Contains("the encoder stays loaded", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Lowering.Cuda)]
    [InlineData(Lowering.Portable)]
    public void Plan_ThatEncodesWithLittle_EncodesInTheTilesOfTheDecoding(Lowering lowering)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var search = new ResidencySearch(model, new ResidencyRequest { Width = 2048, Height = 1536, EncodesSource = true }, device);
        for (long budget = search.Least(); budget < search.Least() + 4 * Gibibyte; budget += Gibibyte / 2)
        {
            ResidencyPlan plan = search.Plan(budget);
            Assert.InRange(plan.PeakBytes, 1, budget);
            Assert.Equal(plan.Decoding, plan.Encoding);
            Assert.False(plan.Encoding!.IsWhole && budget == search.Least());
        }
    }

    [Theory]
    [InlineData(Lowering.Cuda, 1)]
    [InlineData(Lowering.Cuda, 8)]
    [InlineData(Lowering.Portable, 1)]
    public void Plan_OfTheLargestPictures_KeepsTilesAndBatchesWithinTheKernelsIndices(Lowering lowering, int count)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var search = new ResidencySearch(model, Largest with { Count = count, EncodesSource = true }, device);
        long least = search.Least();
        foreach (long budget in new[] { least, least + 2 * Gibibyte, 64 * Gibibyte, long.MaxValue })
        {
            ResidencyPlan plan = search.Plan(budget);
            Assert.InRange(plan.PeakBytes, 1, budget);
            Assert.InRange(plan.BatchSize, 1, 2);
            Assert.InRange(plan.Decoding.TileHeight * plan.Decoding.TileWidth, 1, 256 * 256);
            AssertFitsIndices(model.Component(ComponentNames.UNet), plan);
        }
    }

    [Fact]
    public void LargestBatch_OfASize_FallsWithItsArea()
    {
        ResidencyRequest Of(int width, int height, int parts = 1) =>
            new() { Width = width, Height = height, Count = 100, PromptParts = parts };
        Assert.Equal(8, Of(2048, 2048).LargestBatch);
        Assert.Equal(8, Of(4096, 1024).LargestBatch);
        Assert.Equal(4, Of(4096, 2048).LargestBatch);
        Assert.Equal(2, Of(4096, 4096).LargestBatch);
        Assert.Equal(1, Of(4096, 4096, parts: 3).LargestBatch);
        Assert.Equal(0, Of(4096, 4096, parts: 4).LargestBatch);
    }

    [Theory]
    [InlineData(4096, 4096, 256, 256)]
    [InlineData(4096, 1024, 128, 512)]
    [InlineData(2048, 2048, 256, 256)]
    public void Plan_InOnePiece_IsInTheLargestTilesWhereThePictureIsLarger(int width, int height, int tileHeight, int tileWidth)
    {
        var request = new ResidencyRequest { Width = width, Height = height, Budget = long.MaxValue, VaeTiling = VaeTiling.Whole };
        ResidencyPlan plan = ResidencyPlanner.Plan(FullSizeModel.Cuda, request, DeviceProfile.Hopper);
        Assert.Equal((tileHeight, tileWidth), (plan.Decoding.TileHeight, plan.Decoding.TileWidth));
        Assert.Equal((long)width * height <= 2048 * 2048, plan.Decoding.IsWhole);
    }

    [Theory]
    [InlineData(Lowering.Cuda, 6, true)]
    [InlineData(Lowering.Cuda, 6, false)]
    [InlineData(Lowering.Portable, 12, true)]
    public void Plan_OfTwoPasses_HasBothWithinTheBudget(Lowering lowering, int gibibytes, bool encodes)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var second = new ResidencyRequest { Width = 2048, Height = 2048, Steps = 15, EncodesSource = encodes };
        var first = new ResidencyRequest { Budget = gibibytes * Gibibyte, Steps = 20 };
        ResidencyPlan plan = ResidencyPlanner.Plan(model, first with { SecondPass = second }, device);
        ResidencyPlan larger = plan.SecondPass!;
        Assert.Equal((1024, 2048), (plan.Request.Width, larger.Request.Width));
        Assert.InRange(plan.PeakBytes, larger.PeakBytes, first.Budget);
        Assert.Equal(encodes, plan.Phases.Any(phase => phase.Phase == PlanPhase.Decoding));
        Assert.Equal(encodes, larger.Encoding is not null);
        Assert.True(plan.Estimate.Picture > larger.Estimate.Picture);
        Assert.True(plan.Estimate.Picture >= plan.UnlimitedSeconds);
        // The VAE works in the tiles of the second pass in both.
        Assert.Equal(Math.Min(128, larger.Decoding.TileHeight), plan.Decoding.TileHeight);
        Assert.Equal(Math.Min(128, larger.Decoding.TileWidth), plan.Decoding.TileWidth);
    }

    [Theory]
    [InlineData(5, false, 1)]
    [InlineData(6, false, 1)]
    [InlineData(6, true, 1)]
    [InlineData(6, false, 4)]
    [InlineData(8, true, 4)]
    [InlineData(24, true, 1)]
    public void Plan_OfTwoPassesOnACard_HasWeightsInTheSamePlaces(int gibibytes, bool encodes, int count)
    {
        PassPlans plans = PassesOf(gibibytes * Gibibyte, encodes, count, out PassPlans apart);
        (ResidencyPlan first, ResidencyPlan second) = (plans.First, plans.Second!);
        Assert.NotNull(first.OtherPass);
        Assert.Equal(HeldKinds.Of(first), HeldKinds.Of(second));
        Assert.InRange(plans.PeakBytes, 1, gibibytes * Gibibyte);
        Assert.Equal(Places(second, first.Components), Places(first, first.Components));
        Assert.Equal(
            (first.StreamingBufferBytes, first.PreparingBufferBytes, first.CapturesSteps, first.KeepsArena, first.KeepsDecodingArena),
            (second.StreamingBufferBytes, second.PreparingBufferBytes, second.CapturesSteps, second.KeepsArena, second.KeepsDecodingArena));
        // What bytes depend on is as it would be for each pass by itself.
        Assert.Equal((apart.First.BatchSize, 1), (first.BatchSize, second.BatchSize));
        Assert.Equal((apart.First.Decoding, apart.Second!.Decoding), (first.Decoding, second.Decoding));
        Assert.True(first.Estimate.Picture + second.Estimate.Picture >= 0.98 * first.UnlimitedSeconds);
    }

    [Fact]
    public void Plan_OfTwoPassesThatAreCaptured_CountsBoth()
    {
        PassPlans plans = PassesOf(24 * Gibibyte, encodes: true, 1, out PassPlans apart);
        (ResidencyPlan first, ResidencyPlan second) = (plans.First, plans.Second!);
        Assert.True(first.CapturesSteps);
        foreach (ResidencyPlan plan in (ResidencyPlan[])[first, second])
        {
            foreach (string share in (string[])["tensors between stages", "captured step"])
            {
                long each = SharesOf(apart.First, PlanPhase.Denoising, share), other = SharesOf(apart.Second!, PlanPhase.Denoising, share);
                Assert.Equal(each + other, SharesOf(plan, PlanPhase.Denoising, share));
            }

            long most = SharesOf(apart.Second!, PlanPhase.Denoising, "working memory");
            Assert.True(SharesOf(plan, PlanPhase.Denoising, "working memory") > most);
            // The encoder of the second pass stays while the first one is painted.
            Assert.True(plan.KeepsEncoder);
        }
    }

    [Fact]
    public void Plan_OfTwoPasses_IsWithinEveryBudgetThatIsEnoughForBoth()
    {
        foreach (long budget in (long[])[3 * Gibibyte, 4 * Gibibyte, 7 * Gibibyte])
        {
            foreach (bool encodes in (bool[])[true, false])
            {
                try
                {
                    Assert.InRange(PassesOf(budget, encodes, 1, out _).PeakBytes, 1, budget);
                }
                catch (BudgetTooSmallException)
                {
                    Assert.InRange(budget, 1, 4 * Gibibyte);
                }
            }
        }
    }

    [Fact]
    public void Plan_OfASecondPassThatDoesNotFit_NamesItsSize()
    {
        var request = new ResidencyRequest { Budget = 3 * Gibibyte, SecondPass = Largest };
        BudgetTooSmallException exception = Assert.Throws<BudgetTooSmallException>(
            () => ResidencyPlanner.Plan(FullSizeModel.Portable, request, DeviceProfile.Processor));
        Assert.Contains("4096x4096", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(33, 512, true)]
    [InlineData(128, 512, true)]
    [InlineData(256, 512, false)]
    [InlineData(513, 64, false)]
    public void CheckPlacement_OfATile_LimitsItsSidesAndItsArea(int height, int width, bool isLegal)
    {
        Exception? exception = Record.Exception(
            () => PlanRules.CheckPlacement(OffloadMode.Auto, VaeTiling.Tiled, new TileSize(height, width)));
        Assert.Equal(isLegal, exception is null);
    }

    // No fp16 tensor of a run takes more than 2 GiB. The widest one joins the outputs of two blocks.
    private static void AssertFitsIndices(ComponentSpec unet, ResidencyPlan plan)
    {
        const long widest = 960 * 2, most = 2L << 30;
        long rows = plan.BatchSize * (plan.Request.Guided ? 2 : 1);
        long latents = plan.Request.Height / 8 * (plan.Request.Width / 8);
        Assert.InRange(rows * latents * widest, 1, most);
        var shape = new PictureShape((int)rows, plan.Request.Height / 8, plan.Request.Width / 8, 1);
        Assert.All(unet.Intermediates, tensor => Assert.InRange(tensor.Bytes(shape) / tensor.Type.Size() * 2, 1, most));
    }

    private static PassPlans PassesOf(long budget, bool encodes, int count, out PassPlans apart)
    {
        var second = new ResidencyRequest
        {
            Budget = budget, Width = 2048, Height = 2048, Steps = 15, EncodesSource = encodes, Count = count, BatchSize = 1,
        };
        ResidencyRequest first = new() { Budget = budget, Steps = 15, Count = count };
        ResidencyPlan larger = ResidencyPlanner.Plan(FullSizeModel.Cuda, second, DeviceProfile.Hopper);
        ResidencyPlan smaller = ResidencyPlanner.Plan(FullSizeModel.Cuda, first.InTiles(larger.Decoding), DeviceProfile.Hopper);
        apart = new PassPlans(smaller, larger);
        return TwoPassPlan.PassesOf(FullSizeModel.Cuda, first with { SecondPass = second }, DeviceProfile.Hopper);
    }

    private static StagePlacement[] Places(ResidencyPlan plan, IReadOnlyList<ComponentPlan> components) =>
        [.. components.SelectMany(component => plan.Component(component.Name).Stages).Select(stage => stage.Placement)];

    private static long SharesOf(ResidencyPlan plan, PlanPhase phase, string name) =>
        plan.Phases.First(planned => planned.Phase == phase).Shares.Where(share => share.Name == name).Sum(share => share.Bytes);

    // A card has the encoder at hand unless sessions rotate.
    private static OffloadMode RequestedOffload(Lowering lowering) =>
        lowering == Lowering.Cuda ? OffloadMode.Rotate : OffloadMode.Auto;

    private static (ModelSizes Model, DeviceProfile Device) Of(Lowering lowering) =>
        lowering == Lowering.Cuda ? (FullSizeModel.Cuda, DeviceProfile.Hopper) : (FullSizeModel.Portable, DeviceProfile.Processor);
}
