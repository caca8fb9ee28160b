namespace MuseAtelier.Sampling;

/// <summary>
/// The draws of Brownian noise of a sampler, prepared before the first one: torchsde's BrownianTree with its tolerance of 1e-6
/// (torchsde/_brownian/brownian_interval.py, halfway_tree), over the noise levels from the smallest above 0 to the largest. The tree halves
/// intervals until an end of a draw's interval is the end of a node, so that a draw does not depend on the draws before it.
/// </summary>
internal sealed class BrownianPlan
{
    private readonly BrownianSlots _slots = new();
    private readonly List<BrownianStep> _steps = [];
    private readonly BrownianDraw[][] _draws;
    private readonly BrownianNode _root;
    private readonly float _rootDeviation;

    /// <summary>Prepares all draws of a sampler.</summary>
    /// <param name="sampler">Gives the intervals.</param>
    /// <param name="sigmas">The noise levels of the schedule, at least one above 0.</param>
    /// <param name="first">Index of the first evaluation that is run.</param>
    public BrownianPlan(Sampler sampler, ReadOnlySpan<float> sigmas, int first = 0)
    {
        float least = float.PositiveInfinity, most = 0;
        foreach (float sigma in sigmas)
        {
            most = Math.Max(most, sigma);
            if (sigma > 0) least = Math.Min(least, sigma);
        }

        _root = new BrownianNode(BrownianNode.Round(least), BrownianNode.Round(most), 0, 0);
        _rootDeviation = (float)Math.Sqrt((double)most - least);
        ReadOnlySpan<Evaluation> evaluations = sampler.Evaluations;
        _draws = new BrownianDraw[evaluations.Length][];
        for (int i = 0; i < evaluations.Length; i++)
        {
            _draws[i] = new BrownianDraw[i < first ? 0 : evaluations[i].NoiseDraws];
            for (int draw = 0; draw < _draws[i].Length; draw++)
            {
                (float from, float to) = sampler.NoiseInterval(evaluations[i], draw);
                _draws[i][draw] = Prepare(from, to);
            }
        }
    }

    /// <summary>The number of latent-sized buffers that the draws of one picture need.</summary>
    public int Slots => _slots.Count;

    /// <summary>The steps of the longest draw.</summary>
    public int MostSteps => _draws.Max(draws => draws.Length == 0 ? 0 : draws.Max(draw => draw.Steps.Length));

    /// <summary>The draws of an evaluation.</summary>
    public ReadOnlySpan<BrownianDraw> Draws(int evaluation) => _draws[evaluation];

    private BrownianDraw Prepare(float from, float to)
    {
        double low = Time(Math.Min(from, to)), high = Time(Math.Max(from, to));
        _steps.Clear();
        if (low < high)
        {
            _slots.Begin();
            _steps.Add(new BrownianStep(BrownianTurn.Root, _slots.Of(0, null), Deviation: _rootDeviation));
            GoTo(low, high);
        }

        float length = MathF.Sqrt(MathF.Abs(to - from));
        return new BrownianDraw([.. _steps], _slots.TakeFills(), from < to ? length : -length);
    }

    private void GoTo(double low, double high)
    {
        BrownianNode node = _root;
        while (node.Start != low || node.End != high)
        {
            double middle = node.Middle;
            if (low < middle && high > middle)
            {
                Add(BrownianTurn.Fork, node);
                GoToLow(node.Lower, low);
                GoToHigh(node.Upper, high);
                return;
            }

            bool isLower = high <= middle;
            Add(isLower ? BrownianTurn.Lower : BrownianTurn.Upper, node);
            node = isLower ? node.Lower : node.Upper;
        }

        _steps.Add(new BrownianStep(BrownianTurn.End));
    }

    // The nodes from a noise level up to the end of a node.
    private void GoToLow(BrownianNode node, double low)
    {
        while (node.Start != low)
        {
            bool isLower = low < node.Middle;
            Add(isLower ? BrownianTurn.KeepUpper : BrownianTurn.Upper, node);
            node = isLower ? node.Lower : node.Upper;
        }

        _steps.Add(new BrownianStep(BrownianTurn.EndOfLower));
    }

    // The nodes from the start of a node up to a noise level.
    private void GoToHigh(BrownianNode node, double high)
    {
        while (node.End != high)
        {
            bool isUpper = high > node.Middle;
            Add(isUpper ? BrownianTurn.AddLower : BrownianTurn.Lower, node);
            node = isUpper ? node.Upper : node.Lower;
        }

        _steps.Add(new BrownianStep(BrownianTurn.EndOfUpper));
    }

    private void Add(BrownianTurn turn, in BrownianNode node) =>
        _steps.Add(BrownianStep.Of(turn, node, _slots.Of(node.Key, node.Depth)));

    // torchsde limits a noise level to the tree before it rounds it.
    private double Time(float sigma) => BrownianNode.Round(Math.Clamp((double)sigma, _root.Start, _root.End));
}
