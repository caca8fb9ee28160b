using System.Text.Json;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Residency;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Residency;

public sealed class ResidencyPlannerTests
{
    private const long Gibibyte = 1L << 30;

    private static readonly string[] Preparing =
        [ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.CrossAttention, ComponentNames.TimeEmbedding];

    [Theory]
    [InlineData(Lowering.Cuda)]
    [InlineData(Lowering.Portable)]
    public void Plan_OverManyBudgetsAndSizes_KeepsEachAndIsNeverSlowerWithMore(Lowering lowering)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var random = new Random(7);
        int plans = 0;
        foreach (ResidencyRequest request in Requests(random, 12))
        {
            var search = new ResidencySearch(model, request, device);
            long least = search.Least();
            double before = double.PositiveInfinity;
            IEnumerable<long> budgets =
                Enumerable.Range(0, 100).Select(_ => least + (long)(Math.Pow(random.NextDouble(), 3) * 24 * Gibibyte));
            foreach (long budget in budgets.Prepend(least).Order())
            {
                ResidencyPlan plan = search.Plan(budget);
                AssertHolds(plan, model, device, budget);
                Assert.True(
                    plan.Estimate.Picture <= before, $"{request}: {plan.Estimate.Picture} s with {budget} bytes, {before} s with fewer");
                before = plan.Estimate.Picture;
                plans++;
            }
        }

        Assert.Equal(12 * 101, plans);
    }

    [Theory]
    [InlineData(Lowering.Cuda, Precision.Fp32)]
    [InlineData(Lowering.Portable, Precision.Fp16)]
    public void Plan_InAnotherPrecisionThanTheLoweringsOwn_CountsMore(Lowering lowering, Precision precision)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var request = new ResidencyRequest { Budget = long.MaxValue, Width = 1024, Height = 1024, Steps = 30 };
        ModelSizes other = model with { Precisions = Precisions.All(precision) };
        Assert.True(ResidencyPlanner.Plan(other, request, device).PeakBytes > ResidencyPlanner.Plan(model, request, device).PeakBytes);
        Assert.True(new ResidencySearch(other, request, device).Least() > new ResidencySearch(model, request, device).Least());
        Assert.Equal(
            new ResidencySearch(model, request, device).Least(),
            new ResidencySearch(model with { Precisions = Precisions.Of(lowering) }, request, device).Least());
    }

    // The fp16 decoder's working memory must not count against the fp32 one, because it is freed with the fp16 decoder.
    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(12)]
    public void Plan_OfASeriesThatKeepsWorkingMemory_HasRoomToDecodeInFp32(double gibibytes)
    {
        ResidencyPlan plan = Plan(gibibytes, new ResidencyRequest { Count = 8 });
        Assert.True(plan.KeepsDecodingArena);
        Assert.NotNull(plan.DecodingInFp32);
    }

    [Theory]
    [InlineData(Lowering.Cuda)]
    [InlineData(Lowering.Portable)]
    public void Plan_OfALargerPicture_NeedsNoLessAndIsNoFaster(Lowering lowering)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var random = new Random(11);
        foreach (ResidencyRequest large in Requests(random, 10))
        {
            ResidencyRequest small =
                large with { Width = random.Next(32, large.Width / 8 + 1) * 8, Height = random.Next(32, large.Height / 8 + 1) * 8 };
            ResidencySearch larger = new(model, large, device), smaller = new(model, small, device);
            Assert.True(smaller.Least() <= larger.Least(), $"{small} needs more than {large}");
            for (int i = 0; i < 12; i++)
            {
                long budget = larger.Least() + (long)(random.NextDouble() * 8 * Gibibyte);
                Assert.True(
                    smaller.Plan(budget).Estimate.Picture <= larger.Plan(budget).Estimate.Picture,
                    $"{small} is slower than {large} with {budget} bytes");
            }
        }
    }

    [Theory]
    [InlineData(OffloadMode.Auto)]
    [InlineData(OffloadMode.Resident)]
    [InlineData(OffloadMode.Stream)]
    [InlineData(OffloadMode.Rotate)]
    public void Plan_WithTooSmallABudget_NamesTheLeastThatDoes(OffloadMode offload)
    {
        var request = new ResidencyRequest { Budget = 1, Offload = offload };
        long least = Assert.Throws<BudgetTooSmallException>(() =>
            ResidencyPlanner.Plan(FullSizeModel.Cuda, request, DeviceProfile.Hopper)).LeastBytes;
        Assert.Equal(least, ResidencyPlanner.Plan(FullSizeModel.Cuda, request with { Budget = least }, DeviceProfile.Hopper).PeakBytes);
        BudgetTooSmallException refusal = Assert.Throws<BudgetTooSmallException>(() =>
            ResidencyPlanner.Plan(FullSizeModel.Cuda, request with { Budget = least - 1 }, DeviceProfile.Hopper));
        Assert.Equal(least, refusal.LeastBytes);

        // The budget that the message recommends, rounded up for readers, must be enough.
        Assert.Contains(ByteSize.FormatUp(least), refusal.Message, StringComparison.Ordinal);
        ResidencyPlanner.Plan(FullSizeModel.Cuda, request with { Budget = ByteSize.Parse(ByteSize.FormatUp(least)) }, DeviceProfile.Hopper);
    }

    [Fact]
    public void Plan_AskedTwice_IsTheSame()
    {
        var request = new ResidencyRequest { Budget = 4 * Gibibyte, Count = 3 };
        Assert.Equal(
            JsonSerializer.Serialize(ResidencyPlanner.Plan(FullSizeModel.Cuda, request, DeviceProfile.Hopper)),
            JsonSerializer.Serialize(ResidencyPlanner.Plan(FullSizeModel.Cuda, request, DeviceProfile.Hopper)));
    }

    [Fact]
    public void Plan_WithPlenty_KeepsEverythingAndDecodesWhole()
    {
        ResidencyPlan plan = Plan(19);
        Assert.Equal(OffloadMode.Resident, plan.Offload);
        Assert.All(plan.Components.SelectMany(component => component.Stages), stage =>
            Assert.True(stage.Placement is StagePlacement.Resident or StagePlacement.Session));
        Assert.True(plan is { StreamingBufferBytes: 0, PreparingBufferBytes: 0, PinnedBytes: 0 });
        Assert.True(plan is { CapturesSteps: true, KeepsArena: true, KeepsDecodingArena: true, Decoding.IsWhole: true });
        Assert.Equal(plan.UnlimitedSeconds, plan.Estimate.Picture);
    }

    [Fact]
    public void Plan_WithLittle_StreamsEvenlyAndDecodesInTiles()
    {
        ResidencyPlan plan = Plan(4);
        // At both ends of the UNet the planes are large and the weights small, so any number of copies is hidden there. Between the ends
        // each quarter must stream its share.
        IReadOnlyList<StagePlan> stages =
        [
            .. plan.Component(ComponentNames.UNet).Stages
                .SkipWhile(stage => stage.Name != "input_blocks.7.1.0")
                .TakeWhile(stage => stage.Name != "output_blocks.2.1.sum")
                .Where(stage => stage.Placement != StagePlacement.Session),
        ];
        int streamed = stages.Count(stage => stage.Placement == StagePlacement.Streamed);
        Assert.InRange(streamed, 10, stages.Count - 10);
        Assert.False(plan.Decoding.IsWhole);
        foreach (StagePlan[] part in stages.Chunk(stages.Count / 4).Take(4))
            Assert.InRange(part.Count(stage => stage.Placement == StagePlacement.Streamed), streamed / 4 - 2, streamed / 4 + 3);
    }

    [Fact]
    public void Plan_WithAnOffloadMode_ObeysIt()
    {
        ResidencyPlan resident = Plan(19, new ResidencyRequest { Offload = OffloadMode.Resident });
        ResidencyPlan stream = Plan(19, new ResidencyRequest { Offload = OffloadMode.Stream });
        ResidencyPlan sessions = Plan(19, new ResidencyRequest { Offload = OffloadMode.Rotate });
        Assert.Equal(
            (OffloadMode.Resident, OffloadMode.Stream, OffloadMode.Rotate), (resident.Offload, stream.Offload, sessions.Offload));
        Assert.All(resident.Component(ComponentNames.UNet).Stages, stage =>
            Assert.True(stage.Placement is StagePlacement.Resident or StagePlacement.Session));
        Assert.All(stream.Component(ComponentNames.UNet).Stages, stage =>
            Assert.True(stage.Placement is StagePlacement.Streamed or StagePlacement.Session));
        Assert.All(sessions.Component(ComponentNames.UNet).Stages, stage =>
            Assert.True(stage.Placement is StagePlacement.Streamed or StagePlacement.RotatingSession));
        Assert.True(resident.Estimate.Picture < stream.Estimate.Picture && stream.Estimate.Picture < sessions.Estimate.Picture);
    }

    [Fact]
    public void Plan_WithLittlePinnedMemory_StagesTheRestAndExplainsIt()
    {
        ResidencyPlan plenty = Plan(3), little = Plan(3, new ResidencyRequest { PinnedBytes = Gibibyte });
        Assert.InRange(little.PinnedBytes, 1, Gibibyte);
        Assert.Contains(little.Component(ComponentNames.UNet).Stages, stage => stage.Placement == StagePlacement.Staged);
        Assert.Contains(little.Explanation, sentence => sentence.Contains("pinned", StringComparison.Ordinal));
        Assert.True(little.Estimate.Picture > plenty.Estimate.Picture);
        Assert.DoesNotContain(plenty.Components.SelectMany(component => component.Stages), stage =>
            stage.Placement == StagePlacement.Staged);
    }

    [Fact]
    public void Plan_OfSeveralPicturesWithLittle_DenoisesThemTogether()
    {
        ResidencyPlan one = Plan(2.75), four = Plan(2.75, new ResidencyRequest { Count = 4 });
        Assert.Equal(1, one.BatchSize);
        Assert.InRange(four.BatchSize, 2, 4);
        Assert.True(four.Estimate.Picture < one.Estimate.Picture);
    }

    [Fact]
    public void Plan_OfSeveralPicturesWithPlenty_DenoisesThemTogetherWhereThatGains()
    {
        // On a card part of a step's time does not depend on the batch size. On a processor all of it does, so batches gain nothing.
        ResidencyPlan card = Plan(70, new ResidencyRequest { Count = 8 });
        ResidencyPlan processor = ResidencyPlanner.Plan(
            FullSizeModel.Portable, new ResidencyRequest { Budget = long.MaxValue, Width = 256, Height = 256, Count = 8 },
            DeviceProfile.Processor);
        Assert.Equal((8, card.UnlimitedSeconds), (card.BatchSize, card.Estimate.Picture));
        Assert.Equal(1, processor.BatchSize);
    }

    // Sessions made on several threads hold two sets of handles: 240 MiB, which would otherwise hold weights that every step streams.
    [Theory]
    [InlineData(70, true)]
    [InlineData(8, false)]
    public void Plan_ThatStreams_MakesSessionsOneByOne(int gibibytes, bool inParallel)
    {
        ResidencyPlan plan = Plan(gibibytes, new ResidencyRequest());
        Assert.Equal(inParallel, plan.Component(ComponentNames.UNet).Count(StagePlacement.Streamed) == 0);
        Assert.Equal(inParallel, plan.MakesSessionsInParallel);
    }

    [Fact]
    public void Estimate_OfAStepThatStreams_CountsEachStreamedStage()
    {
        ResidencyPlan plan = Plan(8);
        int streamed = plan.Component(ComponentNames.UNet).Count(StagePlacement.Streamed);
        Assert.True(streamed > 0);
        double free = ResidencyPlanner.Plan(
            FullSizeModel.Cuda, plan.Request, DeviceProfile.Hopper with { StreamedStageSeconds = 0 }).Estimate.Step;
        double expected = streamed * DeviceProfile.Hopper.StreamedStageSeconds;
        Assert.InRange(plan.Estimate.Step - free, 0.9 * expected, 1.1 * expected);
    }

    // Milliseconds of a captured step, measured with all weights resident.
    [Theory]
    [InlineData(1, 31.5)]
    [InlineData(2, 58.8)]
    [InlineData(4, 114.7)]
    public void Estimate_OfAStepOfSeveralPictures_IsNearWhatWasMeasured(int pictures, double milliseconds)
    {
        ResidencyPlan plan = Plan(70, new ResidencyRequest { Count = pictures, BatchSize = pictures });
        Assert.InRange(1000 * plan.Estimate.Step, milliseconds * 0.95, milliseconds * 1.05);
    }

    [Theory]
    [InlineData(Lowering.Cuda)]
    [InlineData(Lowering.Portable)]
    public void Plan_OfSeveralPictures_IsNoSlowerThanWithAnyNumberAtATimeAndTakesTheFewest(Lowering lowering)
    {
        (ModelSizes model, DeviceProfile device) = Of(lowering);
        var random = new Random(13);
        HashSet<int> chosen = [];
        foreach (ResidencyRequest any in Requests(random, 8))
        {
            ResidencyRequest request = any with { Count = random.Next(2, 8), BatchSize = null };
            var search = new ResidencySearch(model, request, device);
            ResidencySearch[] each =
                [.. Enumerable.Range(1, request.Count)
                    .Select(pictures => new ResidencySearch(model, request with { BatchSize = pictures }, device))];
            Assert.Equal(search.Least(), each.Min(one => one.Least()));
            for (int i = 0; i < 6; i++)
            {
                long budget = search.Least() + (long)(random.NextDouble() * 6 * Gibibyte);
                ResidencyPlan plan = search.Plan(budget);
                chosen.Add(plan.BatchSize);
                foreach (ResidencyPlan other in each.Where(one => one.Least() <= budget).Select(one => one.Plan(budget)))
                {
                    AssertHolds(other, model, device, budget);
                    Assert.True(
                        plan.Estimate.Picture <= other.Estimate.Picture,
                        $"{request}: {plan.BatchSize} at a time are slower than {other.BatchSize}");
                    Assert.True(
                        plan.BatchSize <= other.BatchSize || plan.Estimate.Picture < other.Estimate.Picture,
                        $"{request}: {plan.BatchSize} at a time are no faster than {other.BatchSize}");
                }
            }
        }

        Assert.True(lowering == Lowering.Portable || chosen.Count > 1, "Some budgets are such that several at a time are faster.");
    }

    [Theory]
    [InlineData(4, 5)]
    [InlineData(4, 0)]
    [InlineData(20, 9)]
    public void Plan_OfABatchLargerThanTheCount_Throws(int count, int batchSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Plan(19, new ResidencyRequest { Count = count, BatchSize = batchSize }));

    [Fact]
    public void Plan_OfATooLargeBatch_NamesTheLeastBudget()
    {
        BudgetTooSmallException refusal = Assert.Throws<BudgetTooSmallException>(() =>
            Plan(3, new ResidencyRequest { Count = 8, BatchSize = 8 }));
        Assert.Contains("1024x1024 px, 8 at a time", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("paint fewer at a time", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(8, Plan((double)refusal.LeastBytes / Gibibyte, refusal.Request).BatchSize);
    }

    [Fact]
    public void Plan_OnAProcessor_MapsWeightsAndLetsSessionsTakeTurnsOnlyWhereItMust()
    {
        ResidencyPlan unlimited = ResidencyPlanner.Plan(
            FullSizeModel.Portable, new ResidencyRequest { Budget = long.MaxValue, Width = 256, Height = 256 }, DeviceProfile.Processor);
        ResidencyPlan limited = ResidencyPlanner.Plan(
            FullSizeModel.Portable,
            new ResidencyRequest { Budget = 3 * Gibibyte, Width = 256, Height = 256, Offload = OffloadMode.Rotate },
            DeviceProfile.Processor);
        Assert.Equal((OffloadMode.Resident, OffloadMode.Rotate), (unlimited.Offload, limited.Offload));
        Assert.All(unlimited.Component(ComponentNames.UNet).Stages, stage =>
            Assert.True(stage.Placement is StagePlacement.Mapped or StagePlacement.Session));
        Assert.All(limited.Component(ComponentNames.UNet).Stages, stage =>
            Assert.True(stage.Placement is StagePlacement.Mapped or StagePlacement.RotatingSession));
        Assert.True(limited.PeakBytes < unlimited.PeakBytes);
    }

    [Theory]
    [InlineData(FramePlacement.Inside)]
    [InlineData(FramePlacement.Outside)]
    public void Plan_WithAFrame_CountsIt(FramePlacement placement)
    {
        ResidencyPlan bare = Plan(19), framed = Plan(19, new ResidencyRequest { Frame = new PictureFrame(FrameStyle.Gilded, placement) });
        (int width, int height) = framed.Request.Frame!.CanvasOf(1024, 1024);

        // The overlay's colour, its share of the picture and the canvas's own pixels, beside the working memory.
        Assert.True(framed.PeakBytes - bare.PeakBytes > width * height * 7 - 1024 * 1024 * 3);
        Assert.Contains(framed.Components, component => component.Name == ComponentNames.Framing);
        Assert.DoesNotContain(framed.Components, component => component.Name == ComponentNames.PostProcessing);
    }

    // Seconds of a step, measured with the convolutions' weights resident and none, every other or each of the transformer blocks streamed,
    // two stages ahead.
    [Theory]
    [InlineData(0, 0.0326, 0.0335)]
    [InlineData(2, 0.0428, 0.0428)]
    [InlineData(1, 0.0756, 0.0756)]
    public void Estimate_OfAStep_IsNearWhatWasMeasured(int everyNth, double fastest, double slowest)
    {
        ComponentSpec unet = FullSizeModel.Cuda.Component(ComponentNames.UNet);
        StageWork[] work = [.. unet.Stages.Select(stage => StageWork.Of(unet, stage, new PictureShape(2, 128, 128, 1)))];
        int blocks = 0;
        bool[] streamed = [.. unet.Stages.Select(stage => stage.Kind == StageKind.Transformer && everyNth > 0 && blocks++ % everyNth == 0)];
        var choice = new ComponentChoice(unet, work, streamed, 2 * ComponentChoice.LeastBuffer, long.MaxValue, DeviceProfile.Hopper);
        double seconds = choice.Seconds(30, DeviceProfile.Hopper.OperationsPerSecond, DeviceProfile.Hopper.StepSeconds);
        Assert.InRange(seconds / 30, fastest * 0.93, slowest * 1.07);
    }

    [Theory]
    [InlineData(80, 19)]
    [InlineData(12, 12)]
    public void DefaultBudget_IsNineteenGibibytesOrWhatIsFree(int free, int expected) =>
        Assert.Equal(expected * Gibibyte, ResidencyPlanner.DefaultBudget(free * Gibibyte));

    [Fact]
    public void Plan_InFp32FromTheStart_CountsThatDecoderInTheOthersPlace()
    {
        (ModelSizes model, DeviceProfile device) = Of(Lowering.Cuda);
        var request = new ResidencyRequest { Width = 1024, Height = 1024, Steps = 30, VaeTiling = VaeTiling.Whole };
        ResidencyPlan usual = ResidencyPlanner.Plan(model, request, device);
        ResidencyPlan plan = ResidencyPlanner.Plan(model, request with { DecodesInFp32 = true }, device);
        AssertHolds(plan, model, device, request.Budget);
        Assert.Equal((ComponentNames.VaeDecoder, ComponentNames.VaeDecoderFp32), (usual.Components[^2].Name, plan.Components[^2].Name));
        Assert.NotNull(usual.DecodingInFp32);
        Assert.Null(plan.DecodingInFp32);
        long working = plan.Phases[^1].Shares.Single(share => share.Name == "working memory").Bytes;
        Assert.True(working >= device.ArenaBytes(ComponentNames.VaeDecoderFp32, new PictureShape(1, 128, 128, 0)));
        Assert.Contains("The picture is decoded in fp32 whole.", plan.Explanation);

        // A package without an extra fp32 decoder has only its own, which the option does not change.
        (model, device) = Of(Lowering.Portable);
        Assert.Equal(
            ResidencyPlanner.Plan(model, request, device).PeakBytes,
            ResidencyPlanner.Plan(model, request with { DecodesInFp32 = true }, device).PeakBytes);
    }

    [Fact]
    public void Plan_OfASizeOrStepCountOutOfRange_Throws()
    {
        Assert.Throws<PictureSizeException>(() => Plan(19, new ResidencyRequest { Width = 1000, Height = 4104 }));
        Assert.Throws<StepCountException>(() => Plan(19, new ResidencyRequest { Steps = 0 }));
    }

    private static ResidencyPlan Plan(double gibibytes, ResidencyRequest? request = null) =>
        ResidencyPlanner.Plan(
            FullSizeModel.Cuda, (request ?? new ResidencyRequest()) with { Budget = (long)(gibibytes * Gibibyte) }, DeviceProfile.Hopper);

    private static (ModelSizes Model, DeviceProfile Device) Of(Lowering lowering) =>
        lowering == Lowering.Cuda ? (FullSizeModel.Cuda, DeviceProfile.Hopper) : (FullSizeModel.Portable, DeviceProfile.Processor);

    private static IEnumerable<ResidencyRequest> Requests(Random random, int count)
    {
        OffloadMode[] modes =
            [OffloadMode.Auto, OffloadMode.Auto, OffloadMode.Auto, OffloadMode.Resident, OffloadMode.Stream, OffloadMode.Rotate];
        for (int i = 0; i < count; i++)
        {
            int pictures = random.Next(1, 10), steps = random.Next(1, 60);
            yield return new ResidencyRequest
            {
                UnguidedSteps = i % 4 == 1 ? random.Next(steps + 1) : 0,
                PromptSets = i % 5 == 2 ? random.Next(1, 8) : 1,
                Width = random.Next(32, 257) * 8,
                Height = random.Next(32, 257) * 8,
                Steps = steps,
                Count = pictures,
                BatchSize = i % 2 == 0 ? null : random.Next(1, Math.Min(pictures, BatchSlot.LargestBatch) + 1),
                Guided = random.Next(4) > 0,
                Offload = modes[random.Next(modes.Length)],
                VaeTiling = (VaeTiling)random.Next(3),
                DecodesInFp32 = random.Next(4) == 0,
                PinnedBytes = random.Next(2) == 0 ? long.MaxValue : random.NextInt64(6 * Gibibyte),
                Frame = i % 3 == 0 ? new PictureFrame(FrameStyle.Gilded, (FramePlacement)random.Next(2)) : null,
                EncodesSource = i % 3 == 1,
            };
        }
    }

    // Compares the plan with the sizes that the package states, not with those that the planner computes.
    private static void AssertHolds(ResidencyPlan plan, ModelSizes model, DeviceProfile device, long budget)
    {
        Assert.True(plan.PeakBytes <= budget, $"{plan.PeakBytes} of {budget} bytes");
        Assert.Equal(plan.PeakBytes, plan.Phases.Max(phase => phase.Bytes));
        PlanPhase[] phases =
            [.. Enum.GetValues<PlanPhase>().Where(phase => phase != PlanPhase.Encoding || plan.Request.EncodesSource)];
        Assert.Equal(phases, plan.Phases.Select(phase => phase.Phase));
        long Share(PlanPhase phase, string name) =>
            plan.Phases.Single(entry => entry.Phase == phase).Shares.Where(share => share.Name == name).Sum(share => share.Bytes);
        long Placed(StagePlacement placement) => plan.Components.Sum(component => component.Bytes(placement));
        foreach (PlanPhase phase in phases)
        {
            Assert.Equal(Placed(StagePlacement.Resident), Share(phase, "resident weights"));
            Assert.Equal(phase == PlanPhase.Denoising ? Placed(StagePlacement.SwappedOut) : 0, Share(phase, "swapped-out weights"));
            Assert.Equal(device.MarginBytes, Share(phase, "left free"));
        }

        if (plan.DecodingInFp32 is { } again)
        {
            long arena = device.ArenaBytes(ComponentNames.VaeDecoderFp32, new PictureShape(1, again.TileHeight, again.TileWidth, 0));
            Assert.InRange(plan.DecodingInFp32Bytes, device.FixedBytes + device.MarginBytes + arena, budget);
        }
        else
        {
            Assert.Equal(0, plan.DecodingInFp32Bytes);
        }

        // The least that a batch takes: one row for each picture, or two with guidance.
        Assert.InRange(
            plan.BatchSize, plan.Request.BatchSize ?? 1, plan.Request.BatchSize ?? Math.Min(plan.Request.Count, BatchSlot.LargestBatch));
        var shape = new PictureShape(plan.BatchSize * (plan.Request.Guided ? 2 : 1), plan.Request.Height / 8, plan.Request.Width / 8, 1);
        ComponentSpec unet = model.Component(ComponentNames.UNet);
        Assert.True(
            Share(PlanPhase.Denoising, "tensors between stages") >= unet.Inputs.Concat(unet.Outputs).Sum(tensor => tensor.Bytes(shape)));
        Assert.True(Share(PlanPhase.Denoising, "working memory") >= device.ArenaBytes(ComponentNames.UNet, shape));
        Assert.Equal(
            device.MapsWeights,
            Share(PlanPhase.Decoding, "latents and pictures") >= plan.BatchSize * 3L * plan.Request.Width * plan.Request.Height);

        Assert.Equal(plan.StreamingBufferBytes, Share(PlanPhase.Denoising, "streaming buffer"));
        Assert.Equal(plan.PreparingBufferBytes, Share(PlanPhase.Text, "streaming buffer"));
        Assert.InRange(
            plan.PinnedBytes, Placed(StagePlacement.Streamed), Placed(StagePlacement.Streamed) + Placed(StagePlacement.SwappedOut));
        Assert.True(plan.PinnedBytes <= plan.Request.PinnedBytes);
        Assert.True(!plan.CapturesSteps || plan.KeepsArena, "a captured step needs its memory where it was");
        AssertStagesHold(plan, model);

        int height = plan.Request.Height / 8, width = plan.Request.Width / 8;
        Assert.Equal(
            (plan.Decoding.Rows, plan.Decoding.Columns),
            (LatentGeometry.TileStarts(height, plan.Decoding.TileHeight).Length,
                LatentGeometry.TileStarts(width, plan.Decoding.TileWidth).Length));
        Assert.True(plan.Estimate.Picture >= plan.UnlimitedSeconds);
        Assert.NotEmpty(plan.Explanation);
    }

    private static void AssertStagesHold(ResidencyPlan plan, ModelSizes model)
    {
        foreach (string name in Preparing.Append(ComponentNames.UNet))
        {
            IReadOnlyList<StageSpec> stages = model.Component(name).Stages;
            ComponentPlan component = plan.Component(name);
            Assert.Equal(stages.Select(stage => stage.Name), component.Stages.Select(stage => stage.Name));
            foreach ((StageSpec stage, StagePlan place) in stages.Zip(component.Stages))
            {
                Assert.Equal(stage.Weights.Count == 0, place.Placement is StagePlacement.Session or StagePlacement.RotatingSession);
                long weights = stage.Weights.Sum(weight => weight.Bytes);
                if (place.Placement is not (StagePlacement.Mapped or StagePlacement.Session or StagePlacement.RotatingSession))
                    Assert.InRange(place.Bytes, weights, weights + 4096 + (256 * stage.Weights.Count));
                if (place.Placement is not (StagePlacement.Streamed or StagePlacement.Staged)) continue;
                Assert.True(place.Bytes <= (name == ComponentNames.UNet ? plan.StreamingBufferBytes : plan.PreparingBufferBytes));
            }
        }
    }
}
