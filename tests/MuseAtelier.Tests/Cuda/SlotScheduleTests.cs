using MuseAtelier.Cuda.Devices;

namespace MuseAtelier.Tests.Cuda;

public sealed class SlotScheduleTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(35)]
    public void Rounds_OfAnyCount_FindEachStageInItsSlot(int count)
    {
        var schedule = new SlotSchedule(count);
        var slots = new Slots(schedule);
        for (int round = 0; round < 4; round++)
            for (int stage = 0; stage < count; stage++) slots.Run(stage);

        // A stage that has its slot to itself stays there for good; the others come again in every round, the first of them once more for the next.
        Assert.Equal(CopiesIntoSlot((count + 1) / 2) + CopiesIntoSlot(count / 2), slots.Copies);

        static int CopiesIntoSlot(int stages) => stages <= 1 ? stages : 4 * stages + 1;
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void Run_AfterOneThatWasBrokenOff_FindsEachStageInItsSlot(int count)
    {
        for (int broken = 0; broken < count; broken++)
        {
            var slots = new Slots(new SlotSchedule(count));
            for (int stage = 0; stage < broken; stage++) slots.Run(stage);
            for (int round = 0; round < 2; round++)
                for (int stage = 0; stage < count; stage++) slots.Run(stage);
        }
    }

    [Fact]
    public void Run_AfterSomeoneElseUsedTheSlots_CopiesAnew()
    {
        var schedule = new SlotSchedule(2);
        var slots = new Slots(schedule);
        slots.Run(0);
        slots.Run(1);
        schedule.Forget();
        slots.Clear();
        schedule.Restart(0);
        slots.Feed();
        slots.Run(0);
        slots.Run(1);
        Assert.Equal(4, slots.Copies);
    }

    [Fact]
    public void Restore_AfterARound_IsWhereItBegan()
    {
        var schedule = new SlotSchedule(5);
        var slots = new Slots(schedule);
        for (int stage = 0; stage < 5; stage++) slots.Run(stage);
        SlotSchedule.Snapshot before = schedule.Save();
        for (int stage = 0; stage < 5; stage++) slots.Run(stage);
        Assert.Equal(before, schedule.Save());
        schedule.Ran(0);
        schedule.Restore(before);
        Assert.Equal(before, schedule.Save());
    }

    // Slots that hold numbers, filled as a device would fill them.
    private sealed class Slots(SlotSchedule schedule)
    {
        private readonly int[] _content = [-1, -1];
        private readonly bool[] _waits = [false, false];

        public int Copies { get; private set; }

        public void Run(int stage)
        {
            if (!schedule.IsDue(stage))
            {
                schedule.Restart(stage);
                _waits.AsSpan().Clear();
                Feed();
            }

            int slot = SlotSchedule.SlotOf(stage);
            Assert.Equal(stage, _content[slot]);
            _waits[slot] = false;
            schedule.Ran(stage);
            Feed();
        }

        public void Feed()
        {
            while (schedule.TryNext(out int stage, out bool isThere))
            {
                int slot = SlotSchedule.SlotOf(stage);
                Assert.False(_waits[slot], "A slot was filled again before its stage ran.");
                _waits[slot] = true;
                if (isThere) Assert.Equal(stage, _content[slot]);
                else Copies++;
                _content[slot] = stage;
            }
        }

        public void Clear()
        {
            _content.AsSpan().Fill(-1);
            _waits.AsSpan().Clear();
        }
    }
}
