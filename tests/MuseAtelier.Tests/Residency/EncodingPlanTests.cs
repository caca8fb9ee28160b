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
    [InlineData(Lowering.Cuda)]
    [InlineData(Lowering.Portable)]
    public void Plan_ThatEncodes_CountsTheEncoderInItsPhaseAlone(Lowering lowering)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var request = new ResidencyRequest { Budget = 24 * Gibibyte };
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

    private static (ModelSizes Model, DeviceProfile Device) Of(Lowering lowering) =>
        lowering == Lowering.Cuda ? (FullSizeModel.Cuda, DeviceProfile.Hopper) : (FullSizeModel.Portable, DeviceProfile.Processor);
}
