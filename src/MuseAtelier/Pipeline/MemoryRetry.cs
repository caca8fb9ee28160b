using System.Diagnostics;
using MuseAtelier.Diagnostics;

namespace MuseAtelier.Pipeline;

/// <summary>Paints pictures by a plan. If the device's memory runs out, paints the pictures that are left by a smaller plan.</summary>
/// <param name="pipeline">Paints a batch.</param>
/// <param name="plans">Puts plans in force.</param>
/// <param name="planner">Finds the smaller plan.</param>
/// <param name="loras">Puts the LoRAs of each batch in force; borrowed.</param>
/// <param name="diagnostics">Receives a message of each retry; borrowed.</param>
internal sealed class MemoryRetry(
    PicturePipeline pipeline, PlanApplier plans, BatchPlanner planner, LoraSwitch loras, AtelierDiagnostics diagnostics)
{
    /// <summary>Paints the pictures of a call.</summary>
    /// <param name="run">The pictures.</param>
    /// <param name="plan">The plan, which is in force.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="DeviceMemoryException">The memory ran out, and there is no smaller plan, or it ran out again.</exception>
    public void Paint(SeriesRun run, ResidencyPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            PaintBatch(run, plan, cancellationToken);
        }
        catch (DeviceMemoryException exception)
        {
            // Another program took memory meanwhile. The smaller plan stays in force until memory is free again.
            if (Shrink(run, plan) is not { } smaller) throw;
            string notice = ShrinkNotice(exception, plan, smaller);
            run.Notices.Add(notice);
            AtelierLog.MemoryRetried(diagnostics.Logger, diagnostics.Name, notice, exception);
            while (run.Left > 0) PaintBatch(run, smaller, cancellationToken);
        }
    }

    private static string ShrinkNotice(DeviceMemoryException exception, ResidencyPlan plan, ResidencyPlan smaller)
    {
        string alone = plan.BatchSize > smaller.BatchSize ? ", one picture at a time" : "";
        return $"The device's memory ran out ({exception.Found}); painted within {ByteSize.Format(smaller.Request.Budget)}{alone}.";
    }

    private void PaintBatch(SeriesRun run, ResidencyPlan plan, CancellationToken cancellationToken)
    {
        PictureBatch batch = run.NextBatch(plan);
        bool isWhole = false;
        try
        {
            long begin = Stopwatch.GetTimestamp();
            BatchLoras? used = loras.Apply(batch.Request.Loras, cancellationToken);
            batch.Use(used, Stopwatch.GetElapsedTime(begin));
            pipeline.Paint(batch, cancellationToken);
            isWhole = true;
        }
        finally
        {
            plans.EndBatch(plan, isWhole);
            loras.EndBatch();
        }
    }

    // Releases everything that is loaded, and puts a plan for the pictures that are left in force. Returns null if there is no such plan.
    private ResidencyPlan? Shrink(SeriesRun run, ResidencyPlan plan)
    {
        try
        {
            plans.ReleaseAll();
            return planner.ApplySmaller(run.Series, run.Left, plan);
        }
        catch (Exception exception) when (exception is BudgetTooSmallException or DeviceMemoryException or InferenceException)
        {
            return null;
        }
    }
}
