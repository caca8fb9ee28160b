using MuseAtelier.Format;
using MuseAtelier.Residency;
using MuseAtelier.Streaming;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Residency;

/// <summary>The places in the streaming buffer that a plan hands on to the device.</summary>
public sealed class PlannedBufferTests
{
    private const long Gibibyte = 1L << 30;

    [Fact]
    public void Plan_OverManyBudgets_HasAPlaceForEachStreamedStageInABufferOfItsSize()
    {
        int streaming = 0, preparing = 0;
        foreach (OffloadMode offload in new[] { OffloadMode.Auto, OffloadMode.Stream, OffloadMode.Rotate })
        {
            foreach (long pinned in new[] { 0, Gibibyte, long.MaxValue })
            {
                var request = new ResidencyRequest { Offload = offload, PinnedBytes = pinned };
                var search = new ResidencySearch(FullSizeModel.Cuda, request, DeviceProfile.Hopper);
                long least = search.Least();
                for (int i = 0; i < 12; i++)
                {
                    ResidencyPlan plan = search.Plan(least + i * Gibibyte / 2);
                    foreach (ComponentPlan component in plan.Components) AssertHasPlaces(plan, component);
                    if (plan.StreamingBufferBytes > 0) streaming++;
                    if (plan.PreparingBufferBytes > 0) preparing++;
                }
            }
        }

        Assert.True(streaming > 0, "No plan streams the denoiser.");
        Assert.True(preparing > 0, "No plan streams what runs before the steps.");
    }

    private static void AssertHasPlaces(ResidencyPlan plan, ComponentPlan component)
    {
        ComponentSpec spec = FullSizeModel.Cuda.Component(component.Name);
        List<long> streamed = [];
        for (int i = 0; i < component.Stages.Count; i++)
        {
            if (component.Stages[i].Placement is StagePlacement.Streamed or StagePlacement.Staged)
                streamed.Add(spec.Stages[i].WeightRange!.Value.Length);
        }

        if (streamed.Count == 0)
        {
            Assert.Null(component.Buffer);
            return;
        }

        // The device copies without padding. It gets the places that it would choose for those sizes.
        long bytes = component.Name == ComponentNames.UNet ? plan.StreamingBufferBytes : plan.PreparingBufferBytes;
        StreamingBufferLayout places = component.Buffer!;
        Assert.Equal(bytes, places.Bytes);
        Assert.True(places.HasRoomFor(streamed), $"{component.Name} does not fit its places.");
        var own = new StreamingBufferLayout(streamed, bytes);
        Assert.Equal(own.Offsets, places.Offsets);
        Assert.Equal(own.Distances, places.Distances);
    }
}
