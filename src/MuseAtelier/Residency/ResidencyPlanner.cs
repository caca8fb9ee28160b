using MuseAtelier.Residency;

namespace MuseAtelier;

/// <summary>Plans the places of weights and the decoding of pictures within a budget. Pure: equal arguments give equal plans.</summary>
internal static class ResidencyPlanner
{
    /// <summary>Finds the fastest plan within the budget.</summary>
    /// <param name="model">The model's sizes.</param>
    /// <param name="request">The pictures and their budget.</param>
    /// <param name="device">The costs and the speed of the device.</param>
    /// <exception cref="BudgetTooSmallException">
    /// No plan keeps the budget; the exception has the least budget for which there is a plan.
    /// </exception>
    /// <exception cref="PictureRequestException">The requested pictures are out of range.</exception>
    public static ResidencyPlan Plan(ModelSizes model, ResidencyRequest request, DeviceProfile device)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(device);
        if (request.SecondPass is not null) return TwoPassPlan.Of(model, request, device);
        PlanRules.Check(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.Count, 1);
        if (request.BatchSize is { } pictures)
        {
            int legal = Math.Clamp(pictures, 1, request.LargestBatch);
            ArgumentOutOfRangeException.ThrowIfNotEqual(pictures, legal);
        }

        return new ResidencySearch(model, request, device).Plan(request.Budget);
    }

    /// <summary>The budget if none is declared: <see cref="ResidencyRequest.DefaultBudget"/>, or the free memory if that is less.</summary>
    /// <param name="freeBytes">Free bytes of the device.</param>
    public static long DefaultBudget(long freeBytes) => Math.Min(ResidencyRequest.DefaultBudget, freeBytes);
}

/// <summary>No plan keeps the budget.</summary>
public sealed class BudgetTooSmallException : MuseAtelierException
{
    internal BudgetTooSmallException(ResidencyRequest request, long leastBytes, string memory)
        : base(
            $"the budget is {ByteSize.Format(request.Budget)} of {memory}",
            $"at least {ByteSize.FormatUp(leastBytes)} for {Describe(request)}",
            Advice(request))
    {
        Request = request;
        BudgetBytes = request.Budget;
        LeastBytes = leastBytes;
    }

    /// <summary>The budget in bytes.</summary>
    public long BudgetBytes { get; }

    /// <summary>The least budget in bytes for which there is a plan.</summary>
    public long LeastBytes { get; }

    /// <summary>The pictures that do not fit.</summary>
    internal ResidencyRequest Request { get; }

    private static string Describe(ResidencyRequest request)
    {
        string batch = request.BatchSize > 1 ? $", {request.BatchSize} at a time" : "";
        string mode = request.Offload == OffloadMode.Auto ? "" : $" with offload mode {request.Offload}";
        return $"{request.Width}x{request.Height} px{batch}{mode}";
    }

    private static string Advice(ResidencyRequest request)
    {
        string batch = request.BatchSize > 1 ? "paint fewer at a time, " : "";
        return request.Offload is OffloadMode.Auto or OffloadMode.Rotate
            ? $"Give more, {batch}or paint a smaller picture."
            : $"Give more, {batch}paint a smaller picture, or let the offload mode be chosen (auto).";
    }
}
