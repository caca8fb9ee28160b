namespace MuseAtelier.Residency;

/// <summary>
/// Plans a picture of two passes. Each pass has a plan of its own within the budget; where weights move at all, both have them in the same
/// places (<see cref="TwoPassSearch"/>). The VAE works in the tiles of the second pass in both, so that a picture's record, which names one
/// size of tiles, tells all of them.
/// </summary>
internal static class TwoPassPlan
{
    /// <summary>The plan of the first pass, with that of the second one.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures of the first pass, with a second pass.</param>
    /// <param name="device">The costs and the speed of the device.</param>
    /// <exception cref="BudgetTooSmallException">No plan of one of the passes keeps the budget.</exception>
    public static ResidencyPlan Of(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        PassPlans plans = PassesOf(model, request, device);
        return Join(plans.First, plans.Second!, request);
    }

    /// <summary>The plans of both passes.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures of the first pass, with a second pass.</param>
    /// <param name="device">The costs and the speed of the device.</param>
    /// <exception cref="BudgetTooSmallException">No plan of one of the passes keeps the budget.</exception>
    public static PassPlans PassesOf(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        // The larger pass comes first, so that a budget that is too small for it is refused in its name.
        ResidencyPlan second = ResidencyPlanner.Plan(model, SecondOf(request), device);
        ResidencyRequest alone = request with { SecondPass = null };
        var apart = new PassPlans(ResidencyPlanner.Plan(model, alone.InTiles(second.Decoding), device), second);
        return TwoPassSearch.Find(model, apart, device) ?? apart;
    }

    /// <summary>One plan of both passes.</summary>
    /// <param name="first">The plan of the first pass.</param>
    /// <param name="second">The plan of the second pass.</param>
    /// <param name="request">The request for both.</param>
    public static ResidencyPlan Join(ResidencyPlan first, ResidencyPlan second, ResidencyRequest request)
    {
        // The first pass is decoded only where its pixels are enlarged, and then encoded again.
        bool decodes = second.Encoding is not null;
        double skipped = decodes ? 0 : first.Estimate.Decoding;
        double seconds = first.Estimate.Picture - skipped + second.Estimate.Picture;
        PhasePlan[] phases = [.. first.Phases.Where(phase => decodes || phase.Phase != PlanPhase.Decoding)];
        return first with
        {
            Request = request,
            SecondPass = second,
            Phases = phases,
            PeakBytes = Math.Max(phases.Max(phase => phase.Bytes), second.PeakBytes),
            Estimate = first.Estimate with { Decoding = first.Estimate.Decoding - skipped, Picture = seconds },
            UnlimitedSeconds = Math.Min(seconds, first.UnlimitedSeconds - skipped + second.UnlimitedSeconds),
        };
    }

    private static ResidencyRequest SecondOf(ResidencyRequest request) => request.SecondPass! with
    {
        Budget = request.Budget,
        Offload = request.Offload,
        VaeTiling = request.VaeTiling,
        VaeTile = request.VaeTile,
        DecodesInFp32 = request.DecodesInFp32,
        PinnedBytes = request.PinnedBytes,
        SecondPass = null,
    };
}
