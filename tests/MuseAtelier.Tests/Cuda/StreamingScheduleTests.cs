using MuseAtelier.Streaming;

namespace MuseAtelier.Tests.Cuda;

public sealed class StreamingScheduleTests
{
    private const long Page = 4096;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(80)]
    public void Rounds_OfAnyStages_FindEachInItsPlace(int count)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var window = new Window(Layout(count, seed));
            for (int round = 0; round < 6; round++)
                for (int stage = 0; stage < count; stage++) window.Run(stage);
        }
    }

    [Fact]
    public void Rounds_OfStagesThatAllFit_CopyEachOnce()
    {
        var window = new Window(new StreamingBufferLayout([Page, Page, Page], 3 * Page));
        for (int round = 0; round < 5; round++)
            for (int stage = 0; stage < 3; stage++) window.Run(stage);
        Assert.Equal(3, window.Copies);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void Run_AfterOneThatWasBrokenOff_FindsEachInItsPlace(int count)
    {
        for (int broken = 0; broken < count; broken++)
        {
            var window = new Window(Layout(count, 3));
            for (int stage = 0; stage < broken; stage++) window.Run(stage);
            for (int round = 0; round < 3; round++)
                for (int stage = 0; stage < count; stage++) window.Run(stage);
        }
    }

    [Fact]
    public void Run_AfterSomeoneElseUsedTheWindow_CopiesAnew()
    {
        var window = new Window(new StreamingBufferLayout([Page, Page], 2 * Page));
        window.Run(0);
        window.Run(1);
        window.TakeOver();
        window.Run(0);
        window.Run(1);
        Assert.Equal(4, window.Copies);
    }

    [Fact]
    public void Restore_AfterARound_IsWhereItBegan()
    {
        StreamingBufferLayout layout = Layout(9, 1);
        var window = new Window(layout);
        window.Run(0);
        for (int stage = 1; stage < 9; stage++) window.Run(stage);
        StreamingSchedule.Snapshot before = window.Schedule.Save();
        for (int stage = 0; stage < 9; stage++) window.Run(stage);
        StreamingSchedule.Snapshot after = window.Schedule.Save();

        // A round later, with the same in the window.
        Assert.Equal(before.There, after.There);
        Assert.Equal((before.Runs + 9, before.Copies + 9), (after.Runs, after.Copies));
        window.Schedule.Restore(before);
        Assert.Equal((before.Runs, before.Copies), (window.Schedule.Save().Runs, window.Schedule.Save().Copies));
    }

    // A stage that shares its place with none is copied once in plain rounds; in a repeated one it must not be counted on.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(19)]
    [InlineData(80)]
    public void Rounds_RepeatedAsRecorded_FindEachInItsPlaceWhateverLayThereBefore(int count)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var window = new Window(Layout(count, seed));
            for (int round = 0; round < 2; round++)
                for (int stage = 0; stage < count; stage++) window.Run(stage);
            window.Record();
            for (int picture = 0; picture < 2; picture++)
            {
                for (int round = 0; round < 3; round++) window.Repeat();
                window.TakeOver();
            }

            for (int round = 0; round < 2; round++)
                for (int stage = 0; stage < count; stage++) window.Run(stage);
        }
    }

    [Fact]
    public void IsDue_AfterForgetting_IsNoStage()
    {
        var window = new Window(Layout(5, 1));
        window.Run(0);
        Assert.True(window.Schedule.IsDue(1));
        window.Schedule.Invalidate();
        Assert.All(Enumerable.Range(0, 5), stage => Assert.False(window.Schedule.IsDue(stage)));
    }

    [Fact]
    public void Rounds_WithoutEnd_NeverRunOutOfNumbers()
    {
        var window = new Window(Layout(5, 2));
        for (int round = 0; round < 1000; round++)
            for (int stage = 0; stage < 5; stage++) window.Run(stage);
        Assert.InRange(window.Schedule.Save().Copies, 0, 30);
    }

    private static StreamingBufferLayout Layout(int count, int seed)
    {
        var random = new Random(seed);
        long[] sizes = [.. Enumerable.Range(0, count).Select(_ => random.Next(1, 9) * Page - random.Next(100))];
        return new StreamingBufferLayout(sizes, StreamingBufferLayout.LeastBytes(sizes) + random.Next(3) * Page);
    }

    // A window whose pages know what lies in them, filled as a device would fill it.
    private sealed class Window(StreamingBufferLayout layout)
    {
        private readonly int[] _pages = [.. Enumerable.Repeat(-1, (int)(layout.Bytes / Page))];
        private readonly bool[] _waits = new bool[layout.Count];
        private readonly List<int>[] _recorded = [.. Enumerable.Range(0, layout.Count).Select(_ => new List<int>())];

        public StreamingSchedule Schedule { get; } = new(layout);

        public int Copies { get; private set; }

        public void Run(int stage)
        {
            if (!Schedule.IsDue(stage))
            {
                Schedule.Restart(stage);
                _waits.AsSpan().Clear();
                ScheduleCopies();
            }

            Assert.All(Pages(stage), page => Assert.Equal(stage, _pages[page]));
            _waits[stage] = false;
            Schedule.Ran();
            ScheduleCopies();
        }

        public void TakeOver()
        {
            Schedule.Invalidate();
            _pages.AsSpan().Fill(-1);
            Schedule.Restart(0);
            _waits.AsSpan().Clear();
            ScheduleCopies();
        }

        // Writes down what is copied behind which stage, and copies nothing.
        public void Record()
        {
            Schedule.BeginRecording();
            _waits.AsSpan().Clear();
            ScheduleCopies();
            StreamingSchedule.Snapshot before = Schedule.Save();
            bool isFirst = true;
            for (int run = 0; run < layout.Count; run++)
            {
                Assert.True(Schedule.IsDue(run));
                Schedule.Ran();
                while (Schedule.TryNext(out int stage, out bool isThere, out int after))
                {
                    if (isThere) continue;
                    Assert.True(
                        isFirst ? after >= 0 && after <= run : after <= run, "The recorded copy waits for a stage outside the round.");
                    isFirst = false;
                    _recorded[run].Add(stage);
                }
            }

            // What was counted on lies there again.
            Assert.All(before.There.Index(), stage => Assert.True(!stage.Item || Schedule.Save().There[stage.Index]));
            Schedule.Restore(before);
        }

        public void Repeat()
        {
            for (int run = 0; run < layout.Count; run++)
            {
                Assert.All(Pages(run), page => Assert.Equal(run, _pages[page]));
                foreach (int stage in _recorded[run])
                    foreach (int page in Pages(stage)) _pages[page] = stage;
            }
        }

        private void ScheduleCopies()
        {
            while (Schedule.TryNext(out int stage, out bool isThere, out int after))
            {
                Assert.True(after < 0 || !_waits[after], "The copy waits for a stage that was not asked for.");
                if (isThere) Assert.All(Pages(stage), page => Assert.Equal(stage, _pages[page]));
                else Copies++;
                foreach (int page in Pages(stage))
                {
                    Assert.True(
                        _pages[page] < 0 || _pages[page] == stage || !_waits[_pages[page]],
                        "A place was filled again before its stage ran.");
                    _pages[page] = stage;
                }

                _waits[stage] = true;
            }
        }

        private IEnumerable<int> Pages(int stage) =>
            Enumerable.Range((int)(layout.Offsets[stage] / Page), (int)((layout.Sizes[stage] + Page - 1) / Page));
    }
}
