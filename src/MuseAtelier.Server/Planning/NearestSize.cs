namespace MuseAtelier.Server.Planning;

/// <summary>Finds a smaller size that fits a budget.</summary>
internal static class NearestSize
{
    /// <summary>The largest size of nearly the same proportions that fits; null if none does.</summary>
    /// <param name="request">The picture that does not fit.</param>
    /// <param name="fits">Whether a picture fits; smaller pictures of the same proportions never need more.</param>
    public static PlanSize? Find(PictureRequest request, Func<PictureRequest, bool> fits)
    {
        int longer = Math.Max(request.Width, request.Height);
        (int least, int most) = (RequestRules.SmallestSide / RequestRules.SizeMultiple, longer / RequestRules.SizeMultiple);
        PlanSize? found = null;
        while (least <= most)
        {
            int middle = (least + most) / 2;
            PlanSize size = Scale(request, middle * RequestRules.SizeMultiple, longer);
            if (fits(request with { Width = size.Width, Height = size.Height }))
            {
                found = size;
                least = middle + 1;
            }
            else
            {
                most = middle - 1;
            }
        }

        return found;
    }

    private static PlanSize Scale(PictureRequest request, int side, int longer)
    {
        double scale = side / (double)longer;
        return new PlanSize(SideOf(request.Width * scale), SideOf(request.Height * scale));
    }

    private static int SideOf(double side)
    {
        int rounded = (int)Math.Round(side / RequestRules.SizeMultiple) * RequestRules.SizeMultiple;
        return Math.Clamp(rounded, RequestRules.SmallestSide, RequestRules.LargestSide);
    }
}
