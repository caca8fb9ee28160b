using System.Text.Json;
using MuseAtelier.Format;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Residency;

/// <summary>Plans of pictures whose steps differ in guidance or prompts, or whose prompts have several parts.</summary>
public sealed class PromptPlanTests
{
    private const long Gibibyte = 1L << 30;

    public static TheoryData<Lowering> Lowerings => [Lowering.Cuda, Lowering.Portable];

    [Theory]
    [MemberData(nameof(Lowerings))]
    public void Plan_OfAnInterval_CountsBothKindsOfSteps(Lowering lowering)
    {
        ResidencyPlan all = Plan(lowering), none = Plan(lowering, new ResidencyRequest { Guided = false });
        ResidencyPlan some = Plan(lowering, new ResidencyRequest { UnguidedSteps = 12 });
        Assert.Equal(all.Estimate.Step, some.Estimate.Step, 1e-6);
        Assert.Equal(none.Estimate.Step, some.Estimate.UnguidedStep, 1e-6);
        Assert.Equal((0.0, 0.0), (all.Estimate.UnguidedStep, none.Estimate.UnguidedStep));
        double saved = 12 * (all.Estimate.Step - none.Estimate.Step);
        Assert.InRange(all.Estimate.Picture - some.Estimate.Picture, 0.85 * saved, 1.15 * saved);
        // The second bindings share the tensors of the first; their working memory and their captured step come on top.
        Assert.InRange(Share(some, "tensors between stages") - Share(all, "tensors between stages"), -1 << 20, 1 << 20);
        Assert.Equal(2 * Share(all, "captured step"), Share(some, "captured step"));
        Assert.True(Share(some, "working memory") > Share(all, "working memory"));
        Assert.Contains(some.Explanation, line => line.StartsWith("12 of 30 steps are outside", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_OfAnIntervalWithoutCapturedSteps_CountsTheChangesOfRows()
    {
        DeviceProfile free = DeviceProfile.Hopper with { RowChangeSeconds = 0 };
        ResidencyPlan tight = Plan(2600L << 20, DeviceProfile.Hopper), tightAndFree = Plan(2600L << 20, free);
        Assert.False(tight.CapturesSteps);
        Assert.Equal(2 * DeviceProfile.Hopper.RowChangeSeconds, tight.Estimate.Picture - tightAndFree.Estimate.Picture, 1e-3);
        Assert.Contains(tight.Explanation, line => line.StartsWith("Where the number of rows changes", StringComparison.Ordinal));

        // With more memory, capturing the steps costs less than the changes.
        ResidencyPlan wide = Plan(4 * Gibibyte, DeviceProfile.Hopper);
        Assert.True(wide.CapturesSteps);
        Assert.False(Plan(4 * Gibibyte, free).CapturesSteps);
        Assert.DoesNotContain(wide.Explanation, line => line.StartsWith("Where the number of rows", StringComparison.Ordinal));

        static ResidencyPlan Plan(long budget, DeviceProfile device) =>
            ResidencyPlanner.Plan(FullSizeModel.Cuda, new ResidencyRequest { Budget = budget, UnguidedSteps = 12 }, device);
    }

    [Fact]
    public void Plan_OfAnIntervalWithoutEffect_IsThePlanWithoutIt()
    {
        AssertSame(new ResidencyRequest { Guided = false }, new ResidencyRequest { Guided = false, UnguidedSteps = 5 });
        AssertSame(new ResidencyRequest { PromptParts = 2 }, new ResidencyRequest { PromptParts = 2, UnguidedSteps = 5 });
        // Several parts have the row of the negative prompt in any case.
        AssertSame(new ResidencyRequest { PromptParts = 2 }, new ResidencyRequest { PromptParts = 2, Guided = false });

        static void AssertSame(ResidencyRequest one, ResidencyRequest other)
        {
            ResidencyPlan expected = Plan(Lowering.Cuda, one), plan = Plan(Lowering.Cuda, other);
            Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(plan with { Request = expected.Request }));
        }
    }

    [Theory]
    [MemberData(nameof(Lowerings))]
    public void Plan_OfSeveralParts_CountsTheirRows(Lowering lowering)
    {
        double seconds = 0;
        long bytes = 0;
        for (int parts = 1; parts <= 15; parts += 2)
        {
            ResidencyPlan plan = Plan(lowering, new ResidencyRequest { PromptParts = parts, Count = 8 });
            Assert.InRange(plan.BatchSize, 1, 16 / (parts + 1));
            Assert.True(plan.Estimate.Picture > seconds);
            seconds = plan.Estimate.Picture;
            plan = Plan(lowering, new ResidencyRequest { PromptParts = parts });
            Assert.True(Share(plan, "tensors between stages") > bytes);
            bytes = Share(plan, "tensors between stages");
        }

        // Four rows, as two guided pictures have.
        ResidencyPlan three = Plan(lowering, new ResidencyRequest { PromptParts = 3 });
        ResidencyPlan two = Plan(lowering, new ResidencyRequest { Count = 2, BatchSize = 2 });
        Assert.Equal(two.Estimate.Step, three.Estimate.Step, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Lowerings))]
    public void Plan_OfSeveralSets_CountsTheirKeysAndValues(Lowering lowering)
    {
        (ModelSizes model, _) = Of(lowering);
        long keys = model.Component(ComponentNames.CrossAttention).Outputs.Sum(output => output.Bytes(new PictureShape(2, 128, 128, 1)));
        ResidencyPlan one = Plan(lowering);
        foreach (int sets in (int[])[2, 5, 64])
        {
            ResidencyPlan plan = Plan(lowering, new ResidencyRequest { PromptSets = sets });
            Assert.InRange(plan.PromptSetBytes, sets * keys, sets * keys * 11 / 10);
            Assert.Equal(lowering == Lowering.Cuda ? 0 : plan.PromptSetBytes, Share(plan, "sets of prompts"));
            // Every step could need another set than the step before.
            double copying = lowering == Lowering.Cuda ? keys / DeviceProfile.Hopper.CopyBytesPerSecond : 0;
            Assert.InRange(plan.Estimate.Step - one.Estimate.Step, copying * 0.99, copying * 1.1 + 1e-6);
            Assert.Equal(one.Estimate.Text * (sets + 1) / 2, plan.Estimate.Text, 1e-6);
            Assert.Equal(one.Estimate.Conditioning * sets, plan.Estimate.Conditioning, 1e-6);
        }

        Assert.Equal(0, one.PromptSetBytes);
    }

    // No budget of a card counts what the sets of prompts pin.
    [Fact]
    public void Plan_OfManySetsAndPictures_BoundsPinnedMemory()
    {
        Assert.InRange(Plan(Lowering.Cuda, new ResidencyRequest { Count = 8, PromptSets = 64 }).PromptSetBytes, 1, 4 * Gibibyte);
        Assert.Equal(1, Plan(Lowering.Cuda, new ResidencyRequest { Count = 2, PromptSets = 64, PromptChunks = 3 }).BatchSize);
    }

    // What sets of prompts pin cannot be pinned for weights.
    [Fact]
    public void Plan_OfSeveralSetsWithLittlePinnedMemory_LeavesWeightsTheRest()
    {
        var request = new ResidencyRequest { PinnedBytes = Gibibyte, Offload = OffloadMode.Stream, PromptSets = 8 };
        ResidencyPlan plan = ResidencyPlanner.Plan(FullSizeModel.Cuda, request with { Budget = 4 * Gibibyte }, DeviceProfile.Hopper);
        Assert.True(plan.PromptSetBytes > 0);
        Assert.InRange(plan.PinnedBytes, 1, Gibibyte - plan.PromptSetBytes);
    }

    [Fact]
    public void Plan_OfPromptsOutOfRange_Throws()
    {
        ResidencyRequest[] requests =
        [
            new() { PromptParts = 0 }, new() { PromptParts = 16 }, new() { PromptSets = 0 }, new() { PromptSets = 65 },
            new() { UnguidedSteps = -1 }, new() { UnguidedSteps = 31 }, new() { PromptParts = 3, Count = 8, BatchSize = 5 },
        ];
        Assert.All(requests, request => Assert.Throws<ArgumentOutOfRangeException>(() => Plan(Lowering.Cuda, request)));
    }

    private static ResidencyPlan Plan(Lowering lowering, ResidencyRequest? request = null)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        return ResidencyPlanner.Plan(model, (request ?? new ResidencyRequest()) with { Budget = 900 * Gibibyte }, device);
    }

    private static (ModelSizes Model, DeviceProfile Device) Of(Lowering lowering) =>
        lowering == Lowering.Cuda ? (FullSizeModel.Cuda, DeviceProfile.Hopper) : (FullSizeModel.Portable, DeviceProfile.Processor);

    private static long Share(ResidencyPlan plan, string name) =>
        plan.Phases.Single(phase => phase.Phase == PlanPhase.Denoising).Shares.Where(share => share.Name == name).Sum(share => share.Bytes);
}
